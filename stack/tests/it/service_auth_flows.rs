//! What the auth service promises about sign-ins that come back, people without a name, and keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, PASSWORD, as_person, claims, post, refresh, refusal, sign_in},
    service_auth_codes::open,
};

/// Both from appendix B of RFC 7636.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn exchange(project: &Project, code: &str, verifier: &str) -> Reply {
    let asked = json!({"auth_code": code, "code_verifier": verifier});
    post(project, "/token?grant_type=pkce", asked).await
}

/// The code the newest link leads to.
async fn follow(project: &Project) -> String {
    let (place, fragment) = open(&project.message(EMAIL).await["link"]).await;
    assert_eq!(fragment, "", "no token where it was not begun");
    place.split_once("?code=").unwrap_or_else(|| panic!("{place}")).1.to_owned()
}

fn method(session: &Value) -> Value {
    claims(session["access_token"].as_str().unwrap())["amr"][0]["method"].clone()
}

#[tokio::test]
async fn a_flow_ends_where_it_was_begun() {
    let project = Lab::project("").await;
    project.set_auth(&json!({"confirm_email": true})).await;
    let with = |mut body: Value, method: &str, challenge: &str| {
        body["code_challenge"] = json!(challenge);
        body["code_challenge_method"] = json!(method);
        body
    };
    let asked = with(json!({"email": EMAIL, "password": PASSWORD}), "s256", CHALLENGE);
    assert_eq!(post(&project, "/signup", asked).await.status, StatusCode::OK);
    let code = follow(&project).await;
    let wrong = exchange(&project, &code, "wrong").await;
    assert_eq!(wrong.refusal(), refusal(400, "bad_code_verifier"));
    let session = exchange(&project, &code, VERIFIER).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    assert_eq!(method(&session.json()), "email/signup");
    let again = exchange(&project, &code, VERIFIER).await;
    assert_eq!(again.refusal(), refusal(404, "flow_state_not_found"), "once");
    for (path, by, name) in [("/otp", "plain", "magiclink"), ("/recover", "s256", "recovery")] {
        let challenge = if by == "plain" { VERIFIER } else { CHALLENGE };
        post(&project, path, with(json!({"email": EMAIL}), by, challenge)).await;
        let session = exchange(&project, &follow(&project).await, VERIFIER).await;
        assert_eq!(method(&session.json()), name);
    }
    assert_eq!(project.text("select count(*) from auth.flow_state").await, "0");
    for body in [
        json!({"email": EMAIL, "code_challenge": CHALLENGE}),
        with(json!({"email": EMAIL}), "s512", CHALLENGE),
        with(json!({"email": EMAIL}), "s256", "short"),
    ] {
        assert_eq!(post(&project, "/otp", body).await.refusal(), refusal(400, "validation_failed"));
    }
    assert_eq!(exchange(&project, "", "").await.refusal(), refusal(400, "validation_failed"));
}

#[tokio::test]
async fn a_flow_that_takes_too_long_is_over() {
    let project = Lab::project("").await;
    project.sign_up(EMAIL).await;
    let asked = json!({"email": EMAIL, "code_challenge": CHALLENGE, "code_challenge_method": "s256"});
    post(&project, "/recover", asked).await;
    let code = follow(&project).await;
    project.sql("update auth.flow_state set created_at = now() - interval '6 minutes'").await;
    let late = exchange(&project, &code, VERIFIER).await;
    assert_eq!(late.refusal(), refusal(422, "flow_state_expired"));
    let (place, fragment) = open(&project.message(EMAIL).await["link"]).await;
    assert!(
        place.contains("error_code=otp_expired") && fragment.contains("error_code=otp_expired"),
        "{place}"
    );
}

#[tokio::test]
async fn a_change_of_address_may_come_back_too() {
    let project = Lab::project("").await;
    project.set_auth(&json!({"secure_email_change": false})).await;
    let ana = project.sign_up("old@example.com").await;
    let asked = json!({"email": EMAIL, "code_challenge": CHALLENGE, "code_challenge_method": "s256"});
    as_person(&project, &ana, Method::PUT, "/user", asked).await;
    let session = exchange(&project, &follow(&project).await, VERIFIER).await;
    assert_eq!(session.json()["user"]["email"], EMAIL);
    assert_eq!(method(&session.json()), "email_change");
}

#[tokio::test]
async fn somebody_signs_in_without_a_name_and_gives_one_later() {
    let project = Lab::project("").await;
    for confirm in [false, true] {
        project.set_auth(&json!({"confirm_email": confirm})).await;
        let email = format!("{confirm}@example.com");
        let made = post(&project, "/signup", json!({"data": {"theme": "dark"}})).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.body);
        let session = made.json();
        let token = claims(session["access_token"].as_str().unwrap());
        assert_eq!((&token["is_anonymous"], &token["role"]), (&json!(true), &json!("authenticated")));
        assert_eq!(token["amr"][0]["method"], "anonymous");
        assert_eq!(session["user"]["is_anonymous"], true);
        assert_eq!(session["user"]["identities"], json!([]));
        assert_eq!(session["user"]["user_metadata"]["theme"], "dark");
        let nobody = Person::of(&session);
        let change = async |body| as_person(&project, &nobody, Method::PUT, "/user", body).await;
        let early = change(json!({"password": PASSWORD})).await;
        assert_eq!(early.refusal(), refusal(422, "validation_failed"));
        let changed = change(json!({"email": email, "password": PASSWORD})).await.json();
        if confirm {
            assert_eq!(changed["is_anonymous"], true);
            assert_eq!(changed["new_email"], email.as_str());
            let message = project.message(&email).await;
            let code = json!({"type": "email_change", "email": email, "token": message["token"]});
            assert_eq!(post(&project, "/verify", code).await.json()["user"]["is_anonymous"], false);
        } else {
            assert_eq!((&changed["email"], &changed["is_anonymous"]), (&json!(email), &json!(false)));
        }
        let asked = json!({"email": email, "password": PASSWORD});
        let back = post(&project, "/token?grant_type=password", asked).await.json();
        assert_eq!(back["user"]["id"], nobody.id.as_str());
        assert_eq!(back["user"]["app_metadata"], json!({"provider": "email", "providers": ["email"]}));
        let renewed = refresh(&project, &nobody.refresh_token).await;
        if !confirm {
            assert_eq!(claims(&Person::of(&renewed.json()).access_token)["is_anonymous"], false);
        }
    }
    project.set_auth(&json!({"anonymous": false})).await;
    let refused = post(&project, "/signup", json!({})).await;
    assert_eq!(refused.refusal(), refusal(422, "anonymous_provider_disabled"));
}

#[tokio::test]
async fn tokens_may_be_signed_so_that_everybody_can_check_them() {
    let project = Lab::project(
        "create table notes (owner uuid default auth.uid());
         alter table notes enable row level security;
         grant select, insert on notes to authenticated;
         create policy own on notes to authenticated using (owner = auth.uid()) with check (owner = auth.uid());",
    )
    .await;
    let old = project.sign_up(EMAIL).await;
    project.set_auth(&json!({"signing": "ES256"})).await;
    let new = Person::of(&sign_in(&project, PASSWORD).await.json());
    let header = |token: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
    };
    assert_eq!(
        (header(&old.access_token)["alg"].as_str(), header(&new.access_token)["alg"].as_str()),
        (Some("HS256"), Some("ES256"))
    );
    let keys = Reply::to(project.bare(Method::GET, "/auth/v1/.well-known/jwks.json")).await.json();
    let key = &keys["keys"][0];
    assert_eq!(key["kid"], header(&new.access_token)["kid"]);
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("EC"), &json!("P-256"), &json!("ES256")));
    assert!(is_signed_by(key, &new.access_token), "with the key that is shown");
    for person in [&old, &new] {
        let user = as_person(&project, person, Method::GET, "/user", json!(null)).await;
        assert_eq!(user.json()["id"], old.id.as_str());
        let row = project.ask(Method::POST, "/rest/v1/notes").bearer_auth(&person.access_token);
        assert_eq!(Reply::to(row.json(&json!({}))).await.status, StatusCode::CREATED);
    }
    let rows = project.ask(Method::GET, "/rest/v1/notes").bearer_auth(&new.access_token);
    assert_eq!(Reply::to(rows).await.json().as_array().unwrap().len(), 2, "the same person to both services");
    let forged = format!("{}x", &new.access_token[..new.access_token.len() - 1]);
    let row = project.ask(Method::GET, "/rest/v1/notes").bearer_auth(forged);
    assert_eq!(Reply::to(row).await.status, StatusCode::UNAUTHORIZED);
}

fn is_signed_by(key: &Value, token: &str) -> bool {
    use p256::ecdsa::{Signature, VerifyingKey, signature::Verifier as _};
    let bytes = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let point = [vec![4], bytes(&key["x"]), bytes(&key["y"])].concat();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    VerifyingKey::from_sec1_bytes(&point).unwrap().verify(signed.as_bytes(), &signature).is_ok()
}
