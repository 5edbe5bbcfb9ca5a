//! What the auth service promises about second factors.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::{
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, PASSWORD, as_admin, as_person, claims, refresh, refusal, sign_in},
};

/// The code an authenticator app shows, so many periods from now; written apart from the service.
fn code(secret: &Value, periods: i64) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: String = secret
        .as_str()
        .unwrap()
        .chars()
        .map(|letter| format!("{:05b}", letters.find(letter).unwrap()))
        .collect();
    let key: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect();
    let step = chrono::Utc::now().timestamp() / 30 + periods;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let start = usize::from(digest[19] % 16);
    let number = u32::from_be_bytes(digest[start..start + 4].try_into().unwrap()) % (1 << 31);
    format!("{:06}", number % 1_000_000)
}

async fn ask(project: &Project, person: &Person, path: &str, body: Value) -> Reply {
    as_person(project, person, Method::POST, path, body).await
}

async fn enrol(project: &Project, person: &Person, name: &str) -> Value {
    let reply = ask(project, person, "/factors", json!({"factor_type": "totp", "friendly_name": name})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.json()
}

async fn challenge(project: &Project, person: &Person, factor: &Value) -> Value {
    let path = format!("/factors/{}/challenge", factor["id"].as_str().unwrap());
    let reply = ask(project, person, &path, json!({})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    reply.json()
}

async fn verify(project: &Project, person: &Person, factor: &Value, question: &Value, code: &str) -> Reply {
    let path = format!("/factors/{}/verify", factor["id"].as_str().unwrap());
    ask(project, person, &path, json!({"challenge_id": question["id"], "code": code})).await
}

/// Somebody who has enrolled an app and shown it, with its factor.
async fn raised(project: &Project) -> (Person, Value) {
    let person = project.sign_up(EMAIL).await;
    let factor = enrol(project, &person, "app").await;
    let question = challenge(project, &person, &factor).await;
    let shown = verify(project, &person, &factor, &question, &code(&factor["totp"]["secret"], 0)).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    (Person::of(&shown.json()), factor)
}

#[tokio::test]
async fn an_app_raises_the_session_it_is_shown_in() {
    let project = Lab::project("").await;
    let low = project.sign_up(EMAIL).await;
    let elsewhere = Person::of(&sign_in(&project, PASSWORD).await.json());
    let factor = enrol(&project, &low, "app").await;
    assert_eq!(factor["type"], "totp");
    let uri = factor["totp"]["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/127%2E0%2E0%2E1%3A3000:ana%40example%2Ecom?"), "{uri}");
    assert!(factor["totp"]["qr_code"].as_str().unwrap().contains("<svg"));
    let question = challenge(&project, &low, &factor).await;
    assert!(question["expires_at"].is_i64(), "{question}");
    let wrong = verify(&project, &low, &factor, &question, "12345x").await;
    assert_eq!(wrong.refusal(), refusal(422, "mfa_verification_failed"));
    let session =
        verify(&project, &low, &factor, &question, &code(&factor["totp"]["secret"], 0)).await.json();
    let high = Person::of(&session);
    let token = claims(&high.access_token);
    assert_eq!(token["aal"], "aal2");
    let methods: Vec<_> =
        token["amr"].as_array().unwrap().iter().map(|proof| proof["method"].clone()).collect();
    assert_eq!(methods, ["totp", "password"]);
    assert_eq!(token["session_id"], claims(&low.access_token)["session_id"]);
    assert_eq!(session["user"]["factors"][0]["status"], "verified");
    assert_eq!(session["user"]["factors"][0].get("secret"), None);
    let renewed = Person::of(&refresh(&project, &high.refresh_token).await.json());
    assert_eq!(claims(&renewed.access_token)["aal"], "aal2", "it stays raised");
    let other = refresh(&project, &elsewhere.refresh_token).await;
    assert_eq!(other.refusal(), refusal(400, "refresh_token_not_found"), "low sessions end");
    let answered = verify(&project, &high, &factor, &question, "000000").await;
    assert_eq!(answered.refusal(), refusal(422, "mfa_ip_address_mismatch"), "a question is answered once");
}

#[tokio::test]
async fn a_code_of_an_app_is_good_once() {
    let project = Lab::project("").await;
    let (high, factor) = raised(&project).await;
    let secret = &factor["totp"]["secret"];
    let used = project.text("select otp_code from auth.mfa_challenges where verified_at is not null").await;
    let question = challenge(&project, &high, &factor).await;
    let again = verify(&project, &high, &factor, &question, &used).await;
    assert_eq!(again.refusal(), refusal(422, "mfa_verification_failed"));
    let next = verify(&project, &high, &factor, &question, &code(secret, 1)).await;
    assert_eq!(next.status, StatusCode::OK, "{}", next.body);
    let question = challenge(&project, &high, &factor).await;
    let early = verify(&project, &high, &factor, &question, &code(secret, 3)).await;
    assert_eq!(early.refusal(), refusal(422, "mfa_verification_failed"));
    project.sql("update auth.mfa_challenges set created_at = now() - interval '6 minutes'").await;
    let late = verify(&project, &high, &factor, &question, &code(secret, 0)).await;
    assert_eq!(late.refusal(), refusal(422, "mfa_challenge_expired"));
}

#[tokio::test]
async fn who_has_a_factor_needs_it_for_what_matters() {
    let project = Lab::project("").await;
    let (high, factor) = raised(&project).await;
    let low = Person::of(&sign_in(&project, PASSWORD).await.json());
    assert_eq!(claims(&low.access_token)["aal"], "aal1");
    for body in [json!({"password": "another horse"}), json!({"email": "b@example.com"})] {
        let refused = as_person(&project, &low, Method::PUT, "/user", body).await;
        assert_eq!(refused.refusal(), refusal(401, "insufficient_aal"));
    }
    let harmless = as_person(&project, &low, Method::PUT, "/user", json!({"data": {"name": "Ana"}})).await;
    assert_eq!(harmless.status, StatusCode::OK);
    let another = json!({"factor_type": "totp", "friendly_name": "another"});
    let refused = ask(&project, &low, "/factors", another.clone()).await;
    assert_eq!(refused.refusal(), refusal(403, "insufficient_aal"));
    let path = format!("/factors/{}", factor["id"].as_str().unwrap());
    let refused = as_person(&project, &low, Method::DELETE, &path, json!(null)).await;
    assert_eq!(refused.refusal(), refusal(422, "insufficient_aal"));
    assert_eq!(ask(&project, &high, "/factors", another).await.status, StatusCode::OK);
    let gone = as_person(&project, &high, Method::DELETE, &path, json!(null)).await;
    assert_eq!(gone.json()["id"], factor["id"]);
    let renewed = Person::of(&refresh(&project, &high.refresh_token).await.json());
    let token = claims(&renewed.access_token);
    assert_eq!(token["aal"], "aal1", "the session is as it was before");
    assert_eq!(token["amr"].as_array().unwrap().len(), 1);
    let again = as_person(&project, &high, Method::DELETE, &path, json!(null)).await;
    assert_eq!(again.refusal(), refusal(404, "mfa_factor_not_found"));
}

#[tokio::test]
async fn a_factor_that_makes_no_sense_is_refused() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    enrol(&project, &ana, "app").await;
    for (body, expected) in [
        (json!({"factor_type": "totp", "friendly_name": "app"}), refusal(422, "mfa_factor_name_conflict")),
        (json!({"factor_type": "card"}), refusal(400, "validation_failed")),
        (json!({"factor_type": "phone"}), refusal(400, "validation_failed")),
        (json!({"factor_type": "phone", "phone": "0"}), refusal(400, "validation_failed")),
    ] {
        assert_eq!(ask(&project, &ana, "/factors", body.clone()).await.refusal(), expected, "{body}");
    }
    for number in 1..10 {
        enrol(&project, &ana, &number.to_string()).await;
    }
    let many = ask(&project, &ana, "/factors", json!({"factor_type": "totp", "friendly_name": "x"})).await;
    assert_eq!(many.refusal(), refusal(422, "too_many_enrolled_mfa_factors"));
    project.sql("update auth.mfa_factors set created_at = now() - interval '6 minutes'").await;
    enrol(&project, &ana, "app").await; // what was never finished makes room
}

#[tokio::test]
async fn a_text_raises_a_session_too() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    let asked = json!({"factor_type": "phone", "friendly_name": "mobile", "phone": "+4915"});
    let factor = ask(&project, &ana, "/factors", asked.clone()).await.json();
    assert_eq!((&factor["type"], &factor["phone"]), (&json!("phone"), &json!("+4915")));
    enrol(&project, &ana, "app").await;
    let question = challenge(&project, &ana, &factor).await;
    let text = project.message("4915").await;
    assert_eq!(text["kind"], "mfa");
    let wrong = verify(&project, &ana, &factor, &question, "12345x").await;
    assert_eq!(wrong.refusal(), refusal(422, "mfa_verification_failed"));
    let session = verify(&project, &ana, &factor, &question, text["token"].as_str().unwrap()).await.json();
    let high = Person::of(&session);
    assert_eq!(claims(&high.access_token)["amr"][0]["method"], "mfa/phone");
    assert_eq!(session["user"]["factors"][0]["phone"], "4915");
    assert_eq!(session["user"]["factors"][1]["factor_type"], "totp", "only its own kind is cleared away");
    let twice = ask(&project, &high, "/factors", asked).await;
    assert_eq!(twice.refusal(), refusal(422, "mfa_verified_factor_exists"));
}

#[tokio::test]
async fn an_admin_sees_and_removes_factors() {
    let project = Lab::project("").await;
    let (high, factor) = raised(&project).await;
    let path = format!("/users/{}/factors", high.id);
    let list = as_admin(&project, Method::GET, &path, json!(null)).await.json();
    assert_eq!(list[0]["id"], factor["id"]);
    assert_eq!(list[0].get("secret"), None);
    let one = format!("{path}/{}", factor["id"].as_str().unwrap());
    let named = as_admin(&project, Method::PUT, &one, json!({"friendly_name": "lost"})).await.json();
    assert_eq!(named["friendly_name"], "lost");
    let gone = as_admin(&project, Method::DELETE, &one, json!(null)).await.json();
    assert_eq!(gone["id"], factor["id"]);
    let again = as_admin(&project, Method::DELETE, &one, json!(null)).await;
    assert_eq!(again.refusal(), refusal(404, "mfa_factor_not_found"));
    assert_eq!(as_admin(&project, Method::GET, &path, json!(null)).await.json(), json!([]));
}
