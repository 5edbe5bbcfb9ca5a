//! What the auth service promises about passkeys and WebAuthn factors, shown to a real
//! authenticator.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    device::Device,
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, PASSWORD, as_admin, as_person, claims, post, refresh, refusal, sign_in},
};

async fn register(project: &Project, person: &Person, device: &mut Device) -> Reply {
    let asked = as_person(project, person, Method::POST, "/passkeys/registration/options", json!({})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let asked = asked.json();
    let credential = device.create(&asked["options"]).await;
    let said = json!({"challenge_id": asked["challenge_id"], "credential": credential});
    as_person(project, person, Method::POST, "/passkeys/registration/verify", said).await
}

/// A question for a passkey, and the device's answer.
async fn answer(project: &Project, device: &mut Device) -> Value {
    let asked = post(project, "/passkeys/authentication/options", json!({})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let asked = asked.json();
    let credential = device.get(&asked["options"]).await;
    json!({"challenge_id": asked["challenge_id"], "credential": credential})
}

async fn verify(project: &Project, said: &Value) -> Reply {
    post(project, "/passkeys/authentication/verify", said.clone()).await
}

/// Somebody with a passkey, and where it is.
async fn with_passkey(project: &Project) -> (Person, Device, String) {
    let (ana, mut device) = (project.sign_up(EMAIL).await, Device::new());
    let made = register(project, &ana, &mut device).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    (ana, device, id)
}

#[tokio::test]
async fn a_passkey_signs_in_alone() {
    let project = Lab::project("").await;
    let (ana, mut device, id) = with_passkey(&project).await;
    let said = answer(&project, &mut device).await;
    let session = verify(&project, &said).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let session = session.json();
    assert_eq!(session["user"]["id"], ana.id.as_str());
    let token = claims(session["access_token"].as_str().unwrap());
    assert_eq!((&token["amr"][0]["method"], &token["aal"]), (&json!("passkey"), &json!("aal1")));
    let again = verify(&project, &said).await;
    assert_eq!(again.refusal(), refusal(400, "webauthn_challenge_not_found"), "a question is answered once");
    let list = as_person(&project, &ana, Method::GET, "/passkeys", json!(null)).await.json();
    assert_eq!((&list[0]["id"], &list[0]["friendly_name"]), (&json!(id), &json!("Passkey")));
    assert!(list[0]["last_used_at"].is_string(), "{list}");
    let kept = "select count(*) from auth.webauthn_credentials where sign_count = 1
        and attestation_type = 'none' and octet_length(credential_id) >= 16";
    assert_eq!(project.text(kept).await, "1");
}

#[tokio::test]
async fn a_question_says_what_a_browser_has_to_know() {
    let project = Lab::project("").await;
    let (ana, _, _) = with_passkey(&project).await;
    let asked =
        as_person(&project, &ana, Method::POST, "/passkeys/registration/options", json!({})).await.json();
    let options = &asked["options"];
    assert_eq!(options["rp"], json!({"id": "localhost", "name": "localhost"}));
    assert_eq!(options["user"]["name"], EMAIL);
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["excludeCredentials"].as_array().unwrap().len(), 1, "what is there is not made again");
    assert!(asked["expires_at"].is_i64());
    let asked = post(&project, "/passkeys/authentication/options", json!({})).await.json();
    assert_eq!(
        (&asked["options"]["rpId"], &asked["options"]["allowCredentials"]),
        (&json!("localhost"), &json!(null))
    );
}

#[tokio::test]
async fn an_answer_that_does_not_hold_signs_nobody_in() {
    let project = Lab::project("").await;
    let (ana, mut device, _) = with_passkey(&project).await;
    let failed = refusal(400, "webauthn_verification_failed");
    let mut said = answer(&project, &mut device).await;
    said["credential"]["response"]["signature"] = json!("AAAA");
    assert_eq!(verify(&project, &said).await.refusal(), failed);
    assert_eq!(
        verify(&project, &said).await.refusal(),
        refusal(400, "webauthn_challenge_not_found"),
        "and uses the question up"
    );
    let mut said = answer(&project, &mut device).await;
    said["credential"] = json!({"id": "x"});
    assert_eq!(verify(&project, &said).await.refusal(), failed);
    let said = answer(&project, &mut device).await;
    project.sql("update auth.webauthn_challenges set expires_at = now() - interval '1 second'").await;
    assert_eq!(verify(&project, &said).await.refusal(), refusal(400, "webauthn_challenge_expired"));
    let said = answer(&project, &mut device).await;
    project.sql("update auth.webauthn_credentials set sign_count = 1000").await;
    assert_eq!(verify(&project, &said).await.refusal(), failed, "a copy has been there before");
    project.sql("update auth.webauthn_credentials set sign_count = 0").await;
    project.set_auth(&json!({"webauthn_rp_origins": ["https://example.com"]})).await;
    let said = answer(&project, &mut device).await;
    assert_eq!(verify(&project, &said).await.refusal(), failed, "another page may not ask");
    project.set_auth(&json!({})).await;
    let said = answer(&project, &mut device).await;
    project.sql("update auth.users set banned_until = now() + interval '1 hour'").await;
    assert_eq!(verify(&project, &said).await.refusal(), refusal(403, "user_banned"));
    let said = answer(&project, &mut device).await;
    project.sql("update auth.users set banned_until = null, email_confirmed_at = null").await;
    assert_eq!(verify(&project, &said).await.refusal(), refusal(403, "email_not_confirmed"));
    let registration = json!({"challenge_id": ana.id, "credential": {}});
    let path = "/passkeys/registration/verify";
    let unknown = as_person(&project, &ana, Method::POST, path, registration).await;
    assert_eq!(unknown.refusal(), refusal(400, "webauthn_challenge_not_found"));
    for body in [json!({}), json!({"challenge_id": "x", "credential": {}}), json!({"challenge_id": ana.id})] {
        assert_eq!(verify(&project, &body).await.refusal(), refusal(400, "validation_failed"), "{body}");
    }
}

#[tokio::test]
async fn a_passkey_is_renamed_and_removed_by_its_owner() {
    let project = Lab::project("").await;
    let (ana, mut device, id) = with_passkey(&project).await;
    let path = format!("/passkeys/{id}");
    let named =
        as_person(&project, &ana, Method::PATCH, &path, json!({"friendly_name": "phone"})).await.json();
    assert_eq!(named["friendly_name"], "phone");
    let bob = project.sign_up("bob@example.com").await;
    let missing = refusal(404, "validation_failed");
    for (method, body) in [(Method::PATCH, json!({"friendly_name": "mine"})), (Method::DELETE, json!(null))] {
        assert_eq!(as_person(&project, &bob, method, &path, body).await.refusal(), missing);
    }
    for name in [String::new(), "x".repeat(121)] {
        let refused = as_person(&project, &ana, Method::PATCH, &path, json!({"friendly_name": name})).await;
        assert_eq!(refused.refusal(), refusal(400, "validation_failed"));
    }
    let gone = as_person(&project, &ana, Method::DELETE, &path, json!(null)).await;
    assert_eq!((gone.status, gone.body.as_str()), (StatusCode::NO_CONTENT, ""));
    let said = answer(&project, &mut device).await;
    assert_eq!(verify(&project, &said).await.refusal(), refusal(400, "webauthn_verification_failed"));
}

#[tokio::test]
async fn an_admin_sees_and_removes_passkeys() {
    let project = Lab::project("").await;
    let (ana, _, id) = with_passkey(&project).await;
    let path = format!("/users/{}/passkeys", ana.id);
    let list = as_admin(&project, Method::GET, &path, json!(null)).await.json();
    assert_eq!(list[0]["id"], id.as_str());
    let one = format!("{path}/{id}");
    assert_eq!(as_admin(&project, Method::DELETE, &one, json!(null)).await.status, StatusCode::NO_CONTENT);
    let again = as_admin(&project, Method::DELETE, &one, json!(null)).await;
    assert_eq!(again.refusal(), refusal(404, "validation_failed"));
    assert_eq!(as_admin(&project, Method::GET, &path, json!(null)).await.json(), json!([]));
}

#[tokio::test]
async fn who_may_add_a_passkey_is_asked_first() {
    let project = Lab::project("").await;
    let nobody = post(&project, "/signup", json!({})).await.json();
    let path = "/passkeys/registration/options";
    let refused = as_person(&project, &Person::of(&nobody), Method::POST, path, json!({})).await;
    assert_eq!(refused.refusal(), refusal(403, "no_authorization"), "anonymous");
    let (ana, _, _) = with_passkey(&project).await;
    let more = "insert into auth.webauthn_credentials (user_id, credential_id, public_key)
        select id, convert_to(n::text, 'utf8'), '' from auth.users, generate_series(1, 9) n where not is_anonymous";
    project.sql(more).await;
    let many = as_person(&project, &ana, Method::POST, path, json!({})).await;
    assert_eq!(many.refusal(), refusal(422, "too_many_passkeys"));
    project.set_auth(&json!({"passkeys": false})).await;
    for (method, path) in [(Method::POST, path), (Method::GET, "/passkeys")] {
        let off = as_person(&project, &ana, method, path, json!({})).await;
        assert_eq!(off.refusal(), refusal(404, "passkey_disabled"));
    }
    let off = post(&project, "/passkeys/authentication/options", json!({})).await;
    assert_eq!(off.refusal(), refusal(404, "passkey_disabled"));
}

async fn enrol(project: &Project, person: &Person, name: &str) -> String {
    let asked = json!({"factor_type": "webauthn", "friendly_name": name});
    let reply = as_person(project, person, Method::POST, "/factors", asked).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let reply = reply.json();
    assert_eq!((&reply["type"], &reply["friendly_name"]), (&json!("webauthn"), &json!(name)));
    reply["id"].as_str().unwrap().to_owned()
}

/// A question for a factor, and the device's answer.
async fn shown(project: &Project, person: &Person, factor: &str, device: &mut Device) -> Value {
    let asked = json!({"factorId": factor, "webauthn": {"rpId": "localhost", "rpOrigins": [PAGE]}});
    let path = format!("/factors/{factor}/challenge");
    let reply = as_person(project, person, Method::POST, &path, asked).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    let reply = reply.json();
    assert_eq!(reply["type"], "webauthn");
    let kind = reply["webauthn"]["type"].as_str().unwrap();
    let options = &reply["webauthn"]["credential_options"]["publicKey"];
    let credential = match kind {
        "create" => device.create(options).await,
        _ => device.get(options).await,
    };
    json!({"challenge_id": reply["id"], "webauthn": {
        "rpId": "localhost", "rpOrigins": [PAGE], "type": kind, "credential_response": credential,
    }})
}

async fn show(project: &Project, person: &Person, factor: &str, said: Value) -> Reply {
    as_person(project, person, Method::POST, &format!("/factors/{factor}/verify"), said).await
}

#[tokio::test]
async fn an_authenticator_raises_the_session_it_is_shown_in() {
    let project = Lab::project("").await;
    let (ana, mut device) = (project.sign_up(EMAIL).await, Device::new());
    let factor = enrol(&project, &ana, "key").await;
    let said = shown(&project, &ana, &factor, &mut device).await;
    assert_eq!(said["webauthn"]["type"], "create");
    let session = show(&project, &ana, &factor, said.clone()).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let high = Person::of(&session.json());
    let token = claims(&high.access_token);
    assert_eq!((&token["aal"], &token["amr"][0]["method"]), (&json!("aal2"), &json!("mfa/webauthn")));
    let again = show(&project, &high, &factor, said).await;
    assert_eq!(again.refusal(), refusal(400, "validation_failed"), "a key is made once");
    let low = Person::of(&sign_in(&project, PASSWORD).await.json());
    let said = shown(&project, &low, &factor, &mut device).await;
    assert_eq!(said["webauthn"]["type"], "request");
    let session = show(&project, &low, &factor, said.clone()).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let raised = Person::of(&session.json());
    assert_eq!(claims(&raised.access_token)["aal"], "aal2");
    let again = show(&project, &raised, &factor, said).await;
    assert_eq!(again.refusal(), refusal(422, "mfa_factor_not_found"), "a question is answered once");
    let renewed = refresh(&project, &raised.refresh_token).await.json();
    assert_eq!(claims(renewed["access_token"].as_str().unwrap())["aal"], "aal2");
    let kept = "select web_authn_credential -> 'authenticator' ->> 'signCount' from auth.mfa_factors";
    assert_eq!(project.text(kept).await, "1");
}

#[tokio::test]
async fn another_authenticator_raises_nothing() {
    let project = Lab::project("").await;
    let (ana, mut device) = (project.sign_up(EMAIL).await, Device::new());
    let factor = enrol(&project, &ana, "key").await;
    let said = shown(&project, &ana, &factor, &mut device).await;
    assert_eq!(show(&project, &ana, &factor, said).await.status, StatusCode::OK);
    let low = Person::of(&sign_in(&project, PASSWORD).await.json());
    let said = shown(&project, &low, &factor, &mut device).await;
    let mut broken = said.clone();
    broken["webauthn"]["credential_response"]["response"]["signature"] = json!("AAAA");
    assert_eq!(show(&project, &low, &factor, broken).await.refusal(), refusal(500, "unexpected_failure"));
    // Whoever has the password could make a key of their own for the same question.
    let mut options = json!({
        "rp": {"id": "localhost", "name": "x"}, "user": {"id": "eA", "name": "x", "displayName": "x"},
        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
    });
    let client_data = said["webauthn"]["credential_response"]["response"]["clientDataJSON"].as_str().unwrap();
    options["challenge"] = claims(&format!("x.{client_data}.x"))["challenge"].clone();
    let mut forged = said.clone();
    forged["webauthn"]["type"] = json!("create");
    forged["webauthn"]["credential_response"] = Device::new().create(&options).await;
    assert_eq!(show(&project, &low, &factor, forged).await.refusal(), refusal(400, "validation_failed"));
    for wrong in [
        json!({"challenge_id": said["challenge_id"]}),
        json!({"challenge_id": said["challenge_id"], "webauthn": {"type": "look"}}),
        json!({"challenge_id": said["challenge_id"], "webauthn": {"type": "request"}}),
        json!({"challenge_id": said["challenge_id"], "webauthn": {"type": "request", "credential_response": {}}}),
    ] {
        let refused = show(&project, &low, &factor, wrong.clone()).await;
        assert_eq!(refused.refusal(), refusal(400, "validation_failed"), "{wrong}");
    }
    assert_eq!(
        show(&project, &low, &factor, said).await.status,
        StatusCode::OK,
        "a wrong answer costs nothing"
    );
    project.set_auth(&json!({"webauthn_factors": false})).await;
    let asked = json!({"factor_type": "webauthn", "friendly_name": "another"});
    let off = as_person(&project, &ana, Method::POST, "/factors", asked).await;
    assert_eq!(off.refusal(), refusal(422, "mfa_webauthn_enroll_not_enabled"));
}

#[tokio::test]
async fn who_has_a_factor_shows_it_before_a_passkey_is_added() {
    let project = Lab::project("").await;
    let (ana, mut key) = (project.sign_up(EMAIL).await, Device::new());
    let factor = enrol(&project, &ana, "key").await;
    let said = shown(&project, &ana, &factor, &mut key).await;
    let high = Person::of(&show(&project, &ana, &factor, said).await.json());
    let low = Person::of(&sign_in(&project, PASSWORD).await.json());
    let path = "/passkeys/registration/options";
    let refused = as_person(&project, &low, Method::POST, path, json!({})).await;
    assert_eq!(refused.refusal(), refusal(403, "insufficient_aal"));
    assert_eq!(register(&project, &high, &mut Device::new()).await.status, StatusCode::OK);
}
