//! The official JavaScript client against the same server: what it is content with, an app will be.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::lab::root;
use crate::node::script;
use crate::project::Project;

#[tokio::test]
async fn supabase_js_signs_up_inserts_and_selects() {
    let Some(mut node) = script("flow.mjs") else { return };
    let project = Project::target().await;
    node.envs([
        ("SUPABASE_URL", project.url.as_str()),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("EMAIL", &format!("js-{}@garage.test", Uuid::new_v4().simple())),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let user: Uuid = serde_json::from_value(seen["userId"].take()).unwrap();
    project.secret().auth().admin().delete_user(user).await.unwrap();
    let expected = json!({
        "sameUser": true,
        "userMetadata": "Zoé",
        "filtered": [{ "license_plate": "A 12345 92", "customers": { "last_name": "O'Brien" } }],
        "inList": [{ "color": null }],
        "upserted": [{ "city": "Larache", "last_name": "O'Brien" }],
        "changed": [{ "color": "Bleu" }],
        "count": 2,
        "left": [{ "color": "Rouge" }],
        "wrongPassword": "invalid_credentials",
        "refused": "PGRST205",
        "anonymous": { "rows": null, "code": "42501" },
        "userId": null,
    });
    assert_eq!(seen, expected);
}

/// Every step of `auth.mjs`, by name: one that is gone is missed here.
#[tokio::test]
async fn supabase_js_signs_in_every_way_the_stack_knows() {
    let Some(mut node) = script("auth.mjs") else { return };
    let project = Project::embedded().await;
    node.envs([
        ("SUPABASE_URL", project.url.as_str()),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("SUPABASE_SECRET_KEY", &project.secret_key),
        ("SUPABASE_DB_URL", project.db_url.as_deref().unwrap()),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut expected = json!({
        "sign-up": {
            "name": "Zoé",
            "providers": ["email"],
            "again": "user_already_exists",
            "weak": ["weak_password", ["length"]],
        },
        "sign-in": {
            "wrong": "invalid_credentials",
            "method": "password",
        },
        "sign-up, confirmed by a code": {
            "session": null,
            "early": "email_not_confirmed",
            "wrong": "otp_expired",
            "confirmed": true,
            "known": [],
        },
        "sign-up, confirmed by a link and PKCE": {
            "place": "http://app.test/back",
            "fragment": {},
            "other": "AuthPKCECodeVerifierMissingError",
            "again": "AuthPKCECodeVerifierMissingError",
            "type": null,
        },
        "one-time codes": {
            "unknown": "otp_disabled",
            "from": "otp",
            "providers": ["phone"],
        },
        "a magic link": {
            "place": "http://app.test/back",
            "query": {},
            "type": "magiclink",
            "again": ["access_denied", "otp_expired"],
        },
        "a magic link with PKCE": {
            "method": "magiclink",
            "redirectType": null,
        },
        "OAuth with PKCE": {
            "place": "http://app.test/back",
            "page": "1",
            "fragment": {},
            "redirectType": null,
            "events": ["SIGNED_IN"],
            "email": "ana@garage.test",
            "providers": ["google"],
            "identity": ["google", "ana-1"],
            "said": {
                "picture": "p",
                "full_name": "Ana",
                "provider_id": "ana-1",
                "email_verified": true,
            },
            "method": "oauth",
        },
        "OAuth without PKCE": {
            "email": "ana@garage.test",
            "tokens": true,
            "denied": ["http://app.test/back", "access_denied", "nobody has this name here"],
            "off": [400, "validation_failed", "Unsupported provider: provider is not enabled"],
        },
        "an ID token": {
            "wrong": "Nonces mismatch",
            "without": "Passed nonce and nonce in id_token should either both exist or not.",
            "off": "provider_disabled",
            "email": "bea@garage.test",
            "providers": ["google"],
        },
        "linking and unlinking": {
            "linked": ["email", "google"],
            "again": ["server_error", "identity_already_exists"],
            "others": "Identity is already linked to another user",
            "identities": ["email", "google"],
            "last": "single_identity_not_deletable",
            "byToken": [true, ["email", "google"]],
            "twice": "identity_already_exists",
            "off": "manual_linking_disabled",
        },
        "anonymous, and then somebody": {
            "was": [true, null],
            "early": "validation_failed",
            "is": [false, ["email"]],
            "theme": "dark",
            "off": "anonymous_provider_disabled",
        },
        "a forgotten password": {
            "redirectType": "recovery",
            "events": ["PASSWORD_RECOVERY", "USER_UPDATED"],
            "same": "same_password",
            "old": "invalid_credentials",
        },
        "a change of address": {
            "asked": true,
            "half": null,
            "whole": true,
        },
        "reauthentication": {
            "needed": "reauthentication_needed",
            "kind": "reauthentication",
            "wrong": "reauthentication_not_valid",
        },
        "second factors: an app": {
            "before": ["aal1", "aal1"],
            "listed": [1, 0],
            "wrong": "mfa_verification_failed",
            "raised": ["aal2", "aal2"],
            "methods": ["password", "totp"],
            "half": ["aal1", "aal2"],
            "refusedHalf": "insufficient_aal",
            "whole": ["aal2", "aal2"],
            "seenByAdmin": ["verified"],
            "left": 0,
        },
        "second factors: a text": {
            "kind": "mfa",
            "currentLevel": "aal2",
            "phones": 1,
            "left": [],
        },
        "signing out": {
            "others": [true, false, false],
            "local": [null, true],
            "global": "Auth session missing!",
        },
        "refreshing": {
            "sameSuccessor": true,
            "unknown": "refresh_token_not_found",
        },
        "claims": {
            "HS256": ["HS256", false, "authenticated", "aal1", "bad_jwt"],
            "ES256": ["ES256", true, "authenticated", "aal1", "invalid_jwt"],
        },
        "administration of people": {
            "exists": "email_exists",
            "same": true,
            "team": "x",
            "metadata": [1, 2],
            "banned": "user_banned",
            "unbanned": null,
            "out": "Auth session missing!",
            "soft": [true, true],
            "gone": "user_not_found",
            "forbidden": "not_admin",
        },
        "people in pages": {
            "complete": true,
            "counted": true,
        },
        "invitations and links": {
            "kind": "invite",
            "links": {
                "signup": ["signup", 6, "http://app.test/back", "signup"],
                "invite": ["invite", 6, "http://app.test/back", "invite"],
                "magiclink": ["magiclink", 6, "http://app.test/back", "magiclink"],
                "recovery": ["recovery", 6, "http://app.test/back", "recovery"],
                "email_change_current": [
                    "email_change_current", 6, "http://app.test/back", "Confirmation link accepted"
                ],
                "email_change_new": [
                    "email_change_new", 6, "http://app.test/back", "Confirmation link accepted"
                ],
            },
            "unknown": "user_not_found",
        },
        "custom providers": {
            "made": ["custom:acme", ["openid", "email", "profile"], true, true, false],
            "document": true,
            "twice": "conflict",
            "silent": "validation_failed",
            "reserved": "validation_failed",
            "lists": [["custom:acme"], ["custom:acme"], []],
            "same": true,
            "providers": ["google", "custom:acme"],
            "custom": {"picture": "p"},
            "changed": ["Acme Ltd", false],
            "off": "Unsupported provider: custom provider custom:acme is disabled",
            "gone": "custom_provider_not_found",
        },
        "single sign-on": {
            "unknown": "sso_provider_not_found",
        },
    });
    // Step by step, so that what differs is named.
    for (step, seen) in seen.as_object().unwrap() {
        assert_eq!(Some(seen.clone()), expected.get_mut(step).map(Value::take), "{step}");
    }
    expected.as_object_mut().unwrap().retain(|_, step| !step.is_null());
    assert_eq!(expected, json!({}), "steps that nobody took");
}

/// What the SDK's requests are compared with is what this version of the official client sends.
#[tokio::test]
async fn what_was_recorded_is_what_it_sends() {
    let Some(mut node) = script("record.mjs") else { return };
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let recorded = std::fs::read(root().join("sdk/tests/fixtures/auth-js.json")).unwrap();
    let [now, then] = [output.stdout, recorded].map(|text| {
        let mut recording: Value = serde_json::from_slice(&text).unwrap();
        // It is another each time.
        let cases = recording["cases"].as_array_mut().unwrap();
        let requests = cases.iter_mut().flat_map(|case| case["requests"].as_array_mut().unwrap());
        let pairs = requests.flat_map(|request| request["query"].as_array_mut().unwrap());
        pairs.filter(|pair| pair[0] == "code_challenge").for_each(|pair| pair[1] = Value::Null);
        recording
    });
    assert_eq!(now, then, "run tests/js/record.mjs again");
}

#[tokio::test]
async fn supabase_js_keeps_files_in_the_stack() {
    let Some(mut node) = script("storage.mjs") else { return };
    let project = Project::embedded().await;
    node.envs([
        ("SUPABASE_URL", project.url.as_str()),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("SUPABASE_SECRET_KEY", &project.secret_key),
        ("EMAIL", "js@garage.test"),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let taken = "The resource already exists";
    let expected = json!({
        "upload": {
            "path": "me/a b.png",
            "fullPath": "avatars/me/a b.png",
            "sameId": true,
            "same": true,
            "streamed": 300_000,
            "info": [300_000, "image/png", "max-age=60", { "k": "é" }],
        },
        "again": [400, "409", "KeyAlreadyExists", taken],
        "form": [4, "image/webp", "max-age=5"],
        "updated": "text",
        "wrong": [400, "415", "InvalidMimeType", "mime type text/html is not supported"],
        "large": [400, "413", "EntityTooLarge", "The object exceeded the maximum allowed size"],
        "name": "InvalidKey",
        "denied": [400, "403", "AccessDenied", "new row violates row-level security policy"],
        "hidden": [400, "404", "NoSuchKey", "Object not found"],
        "exists": [true, false],
        "public": [200, "image/png", "text"],
        "list": [["dir", false], ["d.png", true]],
        "page": [["d.png", true]],
        "search": [["d.png", true]],
        "v2": [false, ["me/dir/"], ["me/d.png"]],
        "signed": [200, "application/json", "{}"],
        "forged": 400,
        "many": ["{}", "Either the object does not exist or you do not have access to it"],
        "uploadedTo": ["backups/me/up.json", "[1]"],
        "removed": ["me/d.png", "me/dir/c.png"],
        "left": [],
        "twice": [400, "409", "BucketAlreadyExists", taken],
        "bucket": [false, 1000, ["text/plain"]],
        "full": [400, "409", "ResourceNotEmpty", "The bucket you tried to delete is not empty"],
        "buckets": ["avatars", "backups", "vehicle-photos"],
        "noBuckets": [],
        "gone": [400, "404", "NoSuchBucket", "Bucket not found"],
    });
    assert_eq!(seen, expected);
}
