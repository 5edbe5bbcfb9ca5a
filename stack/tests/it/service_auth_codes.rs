//! What the auth service promises about messages and one-time codes.

use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, PASSWORD, as_person, claims, post, refresh, refusal, sign_in},
};

const OTHER: &str = "bea@example.com";
const PHONE: &str = "+49 151 2345678";

/// Opens a link as a browser does, and says where it leads: a part before `#` and one after.
pub(crate) async fn open(link: &Value) -> (String, String) {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let reply = browser.get(link.as_str().unwrap()).send().await.unwrap();
    assert_eq!(reply.status(), StatusCode::SEE_OTHER);
    let target = reply.headers()["location"].to_str().unwrap();
    let (place, fragment) = target.split_once('#').unwrap_or((target, ""));
    (place.to_owned(), fragment.to_owned())
}

async fn verify(project: &Project, body: Value) -> Reply {
    post(project, "/verify", body).await
}

/// What shows the code of a message to `/verify`.
fn shown(message: &Value) -> Value {
    let by = if message["channel"] == "sms" { "phone" } else { "email" };
    json!({"type": message["kind"], by: message["to"], "token": message["token"]})
}

fn age(column: &str) -> String {
    format!("update auth.users set {column} = now() - interval '61 minutes'")
}

#[tokio::test]
async fn only_the_secret_key_reads_the_inbox() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    post(&project, "/otp", json!({"email": EMAIL})).await;
    for path in ["/inbox", "/inbox/settings"] {
        let bare = Reply::to(project.bare(Method::GET, path)).await;
        assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
        let public = project.ask(Method::GET, path).bearer_auth(&project.service_role_key);
        assert_eq!(Reply::to(public).await.status, StatusCode::UNAUTHORIZED);
        let person = project.ask(Method::GET, path).bearer_auth(&ana.access_token);
        assert_eq!(Reply::to(person).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(Reply::to(project.command(Method::GET, path)).await.status, StatusCode::OK);
    }
    assert_eq!(project.inbox("ANA@example.com").await.len(), 1);
    assert_eq!(project.inbox(OTHER).await.len(), 0);
    let emptied = Reply::to(project.command(Method::DELETE, "/inbox")).await;
    assert_eq!(emptied.status, StatusCode::NO_CONTENT);
    assert_eq!(project.inbox(EMAIL).await.len(), 0);
}

#[tokio::test]
async fn a_sign_up_may_have_to_be_confirmed() {
    let project = Lab::project("").await;
    project.set_auth(&json!({"confirm_email": true})).await;
    let said = json!({"name": "Ana", "age": 41, "rate": 0.5});
    let asked = json!({
        "email": EMAIL, "password": PASSWORD, "data": said, "gotrue_meta_security": {"captcha_token": "x"},
        "code_challenge": null, "code_challenge_method": null, "unknown": 7,
    });
    let made = post(&project, "/signup?redirect_to=https://app.example.com/hi", asked.clone()).await;
    assert_eq!(made.status, StatusCode::OK);
    let user = made.json();
    assert_eq!(user["email"], EMAIL);
    assert!(user["confirmation_sent_at"].is_string() && user.get("confirmed_at").is_none(), "{user}");
    assert_eq!(user.get("access_token"), None);
    assert_eq!(sign_in(&project, PASSWORD).await.refusal(), refusal(400, "email_not_confirmed"));
    let message = project.message(EMAIL).await;
    assert_eq!(message["kind"], "signup");
    assert_eq!(message["redirect_to"], "https://app.example.com/hi");
    let link = message["link"].as_str().unwrap();
    assert!(link.starts_with(&format!("{}/auth/v1/verify?token=", project.api_url)), "{link}");
    let kept = "select token_hash = confirmation_token from auth.one_time_tokens join auth.users u on u.id = user_id";
    assert_eq!(project.text(kept).await, "true");
    let wrong = json!({"type": "signup", "email": EMAIL, "token": "12345x"});
    assert_eq!(verify(&project, wrong).await.refusal(), refusal(403, "otp_expired"));
    let session = verify(&project, shown(&message)).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let session = session.json();
    assert_eq!(session["user"]["id"], user["id"]);
    assert_eq!(session["user"]["user_metadata"]["email_verified"], true);
    assert_eq!(session["user"]["user_metadata"]["age"], 41);
    assert_eq!(session["user"]["user_metadata"]["rate"], 0.5);
    assert_eq!(session["user"]["identities"][0]["identity_data"]["email_verified"], true);
    assert_eq!(claims(session["access_token"].as_str().unwrap())["amr"][0]["method"], "otp");
    assert_eq!(verify(&project, shown(&message)).await.refusal(), refusal(403, "otp_expired"), "once");
    assert_eq!(sign_in(&project, PASSWORD).await.status, StatusCode::OK);
    let again = post(&project, "/signup", asked).await;
    assert_eq!(again.status, StatusCode::OK, "nobody learns who has an account");
    assert_ne!(again.json()["id"], user["id"]);
    assert_eq!(again.json()["identities"], json!([]));
}

#[tokio::test]
async fn a_confirmation_is_sent_again_and_the_newest_counts() {
    let project = Lab::project("").await;
    project.set_auth(&json!({"confirm_email": true})).await;
    post(&project, "/signup", json!({"email": EMAIL, "password": PASSWORD})).await;
    let first = project.message(EMAIL).await;
    let again = post(&project, "/resend", json!({"type": "signup", "email": EMAIL})).await;
    assert_eq!((again.status, again.body.as_str()), (StatusCode::OK, "{}"));
    let second = project.message(EMAIL).await;
    assert_ne!(first["id"], second["id"]);
    if first["token"] != second["token"] {
        assert_eq!(verify(&project, shown(&first)).await.refusal(), refusal(403, "otp_expired"));
    }
    let by_hash = json!({"type": "email", "token_hash": second["token_hash"]});
    assert_eq!(verify(&project, by_hash).await.status, StatusCode::OK);
    let known = post(&project, "/resend", json!({"type": "signup", "email": EMAIL})).await;
    assert_eq!(known.body, "{}");
    post(&project, "/resend", json!({"type": "signup", "email": "x@example.com"})).await;
    assert_eq!(project.inbox(EMAIL).await.len(), 2, "nobody is asked to confirm twice");
    assert_eq!(project.inbox("x@example.com").await.len(), 0);
    for asked in [
        json!({"type": "magiclink", "email": EMAIL}),
        json!({"type": "sms", "email": EMAIL}),
        json!({"type": "signup", "phone": PHONE}),
        json!({"type": "signup"}),
    ] {
        let reply = post(&project, "/resend", asked.clone()).await;
        assert_eq!(reply.refusal(), refusal(400, "validation_failed"), "{asked}");
    }
}

#[tokio::test]
async fn a_code_signs_in_somebody_old_or_new() {
    let project = Lab::project("").await;
    for confirm in [false, true] {
        project.set_auth(&json!({"confirm_email": confirm})).await;
        let email = format!("{confirm}@example.com");
        let stranger = json!({"email": email, "create_user": false});
        assert_eq!(post(&project, "/otp", stranger).await.refusal(), refusal(422, "otp_disabled"));
        let asked = json!({"email": email, "data": {"name": "Ana"}, "create_user": true});
        let sent = post(&project, "/otp", asked).await;
        assert_eq!((sent.status, sent.body.as_str()), (StatusCode::OK, "{}"));
        let first = project.message(&email).await;
        assert_eq!(first["kind"], if confirm { "signup" } else { "magiclink" });
        let code = json!({"type": "email", "email": email, "token": first["token"]});
        let session = verify(&project, code).await.json();
        assert_eq!(session["user"]["user_metadata"]["name"], "Ana");
        post(&project, "/otp", json!({"email": email, "create_user": false})).await;
        let second = project.message(&email).await;
        assert_eq!(second["kind"], "magiclink");
        let again = verify(&project, shown(&second)).await.json();
        assert_eq!(again["user"]["id"], session["user"]["id"]);
    }
    for asked in
        [json!({}), json!({"email": EMAIL, "phone": PHONE}), json!({"email": EMAIL, "channel": "sms"})]
    {
        assert_eq!(post(&project, "/otp", asked).await.refusal(), refusal(400, "validation_failed"));
    }
}

#[tokio::test]
async fn a_code_is_good_for_an_hour_and_for_its_own_purpose() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    project.sign_up(OTHER).await;
    post(&project, "/otp", json!({"email": EMAIL})).await;
    let message = project.message(EMAIL).await;
    let (token, hash) = (&message["token"], &message["token_hash"]);
    for (asked, status, code) in [
        (json!({"type": "signup", "email": EMAIL, "token": token}), 403, "otp_expired"),
        (json!({"type": "email_change", "email": EMAIL, "token": token}), 403, "otp_expired"),
        (json!({"type": "magiclink", "email": OTHER, "token": token}), 403, "otp_expired"),
        (json!({"type": "sms", "email": EMAIL, "token": token}), 400, "validation_failed"),
        (json!({"type": "magiclink", "phone": PHONE, "token": token}), 400, "validation_failed"),
        (json!({"type": "nonsense", "email": EMAIL, "token": token}), 400, "validation_failed"),
        (json!({"email": EMAIL, "token": token}), 400, "validation_failed"),
        (json!({"type": "magiclink", "email": EMAIL}), 400, "validation_failed"),
        (json!({"type": "magiclink", "token": token}), 400, "validation_failed"),
        (json!({"type": "magiclink", "email": EMAIL, "token_hash": hash}), 400, "validation_failed"),
        (json!({"type": "magiclink", "token_hash": "unknown"}), 403, "otp_expired"),
    ] {
        assert_eq!(verify(&project, asked.clone()).await.refusal(), refusal(status, code), "{asked}");
    }
    project.sql(&age("recovery_sent_at")).await;
    assert_eq!(verify(&project, shown(&message)).await.refusal(), refusal(403, "otp_expired"));
    post(&project, "/otp", json!({"email": EMAIL})).await;
    project.sql("update auth.users set banned_until = now() + interval '1 day'").await;
    let banned = verify(&project, shown(&project.message(EMAIL).await)).await;
    assert_eq!(banned.refusal(), refusal(403, "user_banned"));
    let user = as_person(&project, &ana, Method::GET, "/user", json!(null)).await;
    assert_eq!(user.refusal(), refusal(403, "user_banned"), "with the tokens they have, too");
}

#[tokio::test]
async fn a_link_leads_back_with_a_session_once() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    post(&project, "/recover?redirect_to=https://app.example.com/reset", json!({"email": EMAIL})).await;
    let message = project.message(EMAIL).await;
    assert_eq!(message["kind"], "recovery");
    let looked = Client::new().head(message["link"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(looked.status(), StatusCode::METHOD_NOT_ALLOWED, "who only looks does not use it up");
    let (place, fragment) = open(&message["link"]).await;
    assert_eq!(place, "https://app.example.com/reset");
    let field = |name: &str| {
        let prefix = format!("{name}=");
        fragment.split('&').find_map(|pair| pair.strip_prefix(&prefix)).map(str::to_owned)
    };
    assert_eq!(field("type").as_deref(), Some("recovery"));
    assert_eq!(field("token_type").as_deref(), Some("bearer"));
    assert_eq!(claims(&field("access_token").unwrap())["sub"], ana.id.as_str());
    assert_eq!(refresh(&project, &field("refresh_token").unwrap()).await.status, StatusCode::OK);
    let (place, fragment) = open(&message["link"]).await;
    assert_eq!(place, "https://app.example.com/reset");
    let told = "error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired&sb=";
    assert_eq!(fragment, told);
    for path in ["/verify", "/verify?type=signup", "/verify?token=x"] {
        let request = project.bare(Method::GET, &format!("/auth/v1{path}"));
        let reply = Reply::to(request.header("x-supabase-api-version", "2024-01-01")).await;
        assert_eq!(reply.refusal(), refusal(400, "validation_failed"), "it leads nowhere");
    }
    let phone =
        json!(format!("{}/auth/v1/verify?type=sms&token=x&redirect_to=https://a.b/?c=d", project.api_url));
    let (place, fragment) = open(&phone).await;
    assert_eq!(place, "https://a.b/?c=d");
    assert!(fragment.starts_with("error=invalid_request&error_code=validation_failed"), "{fragment}");
    let unknown = post(&project, "/recover", json!({"email": "x@example.com"})).await;
    assert_eq!((unknown.status, unknown.body.as_str()), (StatusCode::OK, "{}"));
    assert_eq!(post(&project, "/recover", json!({})).await.refusal(), refusal(400, "validation_failed"));
}

#[tokio::test]
async fn both_addresses_agree_to_a_change() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    project.sign_up("taken@example.com").await;
    let change = async |body| as_person(&project, &ana, Method::PUT, "/user", body).await;
    let taken = change(json!({"email": "taken@example.com"})).await;
    assert_eq!(taken.refusal(), refusal(422, "email_exists"));
    let asked = change(json!({"email": "Bea@example.com"})).await.json();
    assert_eq!((&asked["email"], &asked["new_email"]), (&json!(EMAIL), &json!(OTHER)));
    assert!(asked["email_change_sent_at"].is_string());
    let (old, new) = (project.message(EMAIL).await, project.message(OTHER).await);
    assert_eq!((&old["kind"], &new["kind"]), (&json!("email_change"), &json!("email_change")));
    let half = verify(&project, shown(&old)).await;
    assert_eq!(half.json()["code"], "200");
    assert!(half.json()["msg"].as_str().unwrap().starts_with("Confirmation link accepted"));
    assert_eq!(verify(&project, shown(&old)).await.refusal(), refusal(403, "otp_expired"), "once");
    assert_eq!(sign_in(&project, PASSWORD).await.status, StatusCode::OK, "nothing has changed yet");
    let whole = verify(&project, shown(&new)).await.json();
    assert_eq!(whole["user"]["email"], OTHER);
    assert_eq!(whole["user"].get("new_email"), None);
    assert_eq!(whole["user"]["identities"][0]["email"], OTHER);
    assert_eq!(sign_in(&project, PASSWORD).await.refusal(), refusal(400, "invalid_credentials"));
}

#[tokio::test]
async fn a_change_is_sent_again_and_links_work_for_it_too() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    as_person(&project, &ana, Method::PUT, "/user", json!({"email": OTHER})).await;
    post(&project, "/resend", json!({"type": "email_change", "email": EMAIL})).await;
    assert_eq!((project.inbox(EMAIL).await.len(), project.inbox(OTHER).await.len()), (2, 2));
    let (_, fragment) = open(&project.message(OTHER).await["link"]).await;
    assert!(fragment.starts_with("message=Confirmation+link+accepted"), "{fragment}");
    let (_, fragment) = open(&project.message(EMAIL).await["link"]).await;
    assert!(fragment.contains("type=email_change"), "{fragment}");
    project.set_auth(&json!({"secure_email_change": false})).await;
    as_person(&project, &ana, Method::PUT, "/user", json!({"email": "c@example.com"})).await;
    assert_eq!(project.inbox(OTHER).await.len(), 2, "the old address is not asked");
    let whole = verify(&project, shown(&project.message("c@example.com").await)).await;
    assert_eq!(whole.json()["user"]["email"], "c@example.com");
}

#[tokio::test]
async fn a_number_is_as_good_as_an_address() {
    let project = Lab::project("").await;
    let asked = json!({"phone": PHONE, "password": PASSWORD});
    let session = post(&project, "/signup", asked.clone()).await.json();
    assert_eq!(session["user"]["phone"], "491512345678");
    assert_eq!(session["user"]["email"], "");
    assert_eq!(session["user"]["app_metadata"]["provider"], "phone");
    assert_eq!(claims(session["access_token"].as_str().unwrap())["phone"], "491512345678");
    let again = post(&project, "/signup", asked.clone()).await;
    assert_eq!(again.refusal(), refusal(422, "user_already_exists"));
    let signed_in = post(&project, "/token?grant_type=password", asked).await;
    assert_eq!(signed_in.json()["user"]["id"], session["user"]["id"]);
    let sent = post(&project, "/otp", json!({"phone": PHONE})).await.json();
    let text = project.message(PHONE).await;
    assert_eq!((&text["channel"], &text["kind"]), (&json!("sms"), &json!("sms")));
    assert_eq!(sent["message_id"], text["id"]);
    let by_code = verify(&project, json!({"type": "sms", "phone": PHONE, "token": text["token"]})).await;
    assert_eq!(by_code.json()["user"]["id"], session["user"]["id"]);
}

#[tokio::test]
async fn a_number_may_have_to_be_confirmed() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    project.set_auth(&json!({"confirm_phone": true})).await;
    let asked = json!({"phone": "4915", "password": PASSWORD});
    let user = post(&project, "/signup", asked.clone()).await.json();
    assert_eq!(user["phone"], "4915");
    let refused = post(&project, "/token?grant_type=password", asked).await;
    assert_eq!(refused.refusal(), refusal(400, "phone_not_confirmed"));
    let again = post(&project, "/resend", json!({"type": "sms", "phone": "4915"})).await.json();
    let text = project.message("4915").await;
    assert_eq!(again["message_id"], text["id"]);
    let session = verify(&project, shown(&text)).await.json();
    assert!(session["user"]["phone_confirmed_at"].is_string(), "{session}");
    let taken = as_person(&project, &ana, Method::PUT, "/user", json!({"phone": "4915"})).await;
    assert_eq!(taken.refusal(), refusal(422, "phone_exists"));
    let changed = as_person(&project, &ana, Method::PUT, "/user", json!({"phone": PHONE})).await.json();
    assert_eq!((&changed["phone"], &changed["new_phone"]), (&json!(""), &json!("491512345678")));
    let text = project.message(PHONE).await;
    assert_eq!(text["kind"], "phone_change");
    let both = verify(&project, shown(&text)).await.json();
    assert_eq!(both["user"]["phone"], "491512345678");
    assert_eq!(both["user"]["app_metadata"]["providers"], json!(["email", "phone"]));
    assert_eq!(both["user"]["identities"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_old_session_may_need_a_code_for_a_new_password() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    project.set_auth(&json!({"secure_password_change": true})).await;
    let change = async |body| as_person(&project, &ana, Method::PUT, "/user", body).await;
    assert_eq!(change(json!({"password": "a new horse"})).await.status, StatusCode::OK, "it is young");
    project.sql("update auth.sessions set created_at = now() - interval '25 hours'").await;
    let needed = change(json!({"password": "another horse"})).await;
    assert_eq!(needed.refusal(), refusal(400, "reauthentication_needed"));
    let sent = as_person(&project, &ana, Method::GET, "/reauthenticate", json!(null)).await;
    assert_eq!((sent.status, sent.body.as_str()), (StatusCode::OK, "{}"));
    let message = project.message(EMAIL).await;
    assert_eq!((&message["kind"], &message["link"]), (&json!("reauthentication"), &json!(null)));
    let wrong = change(json!({"password": "another horse", "nonce": "12345x"})).await;
    assert_eq!(wrong.refusal(), refusal(422, "reauthentication_not_valid"));
    let right = json!({"password": "another horse", "nonce": message["token"]});
    assert_eq!(change(right).await.status, StatusCode::OK);
    let used = json!({"password": "a third horse", "nonce": message["token"]});
    assert_eq!(change(used).await.refusal(), refusal(422, "reauthentication_not_valid"));
}

#[tokio::test]
async fn limits_are_reached_when_a_test_says_so() {
    let project = Lab::project("").await;
    project.sign_up(EMAIL).await;
    project.set_auth(&json!({"seconds_between_messages": 60})).await;
    assert_eq!(post(&project, "/otp", json!({"email": EMAIL})).await.status, StatusCode::OK);
    let soon = post(&project, "/otp", json!({"email": EMAIL})).await;
    assert_eq!(soon.refusal(), refusal(429, "over_email_send_rate_limit"));
    let wait: u64 = soon.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let said = soon.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(said, format!("For security purposes, you can only request this after {wait} seconds."));
    project.set_auth(&json!({"messages_left": 1})).await;
    assert_eq!(post(&project, "/recover", json!({"email": EMAIL})).await.status, StatusCode::OK);
    let many = post(&project, "/recover", json!({"email": EMAIL})).await;
    assert_eq!(many.refusal(), refusal(429, "over_email_send_rate_limit"));
    assert_eq!(many.header("retry-after"), "60");
    let text = post(&project, "/otp", json!({"phone": PHONE})).await;
    assert_eq!(text.refusal(), refusal(429, "over_sms_send_rate_limit"));
    let wrong = Reply::to(project.command(Method::PUT, "/inbox/settings").json(&json!({"x": 1}))).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_inbox_is_read_while_everything_else_is_broken() {
    let project = Lab::project("").await;
    post(&project, "/otp", json!({"email": EMAIL})).await;
    let body = json!({"code": "over_email_send_rate_limit", "message": "email rate limit exceeded"});
    let action = json!({"kind": "answer", "status": 429, "headers": {"retry-after": "7"}, "body": body});
    project.set_faults(&json!([{"action": action}])).await;
    assert_eq!(project.inbox(EMAIL).await.len(), 1);
    let refused = post(&project, "/otp", json!({"email": EMAIL})).await;
    assert_eq!(refused.refusal(), refusal(429, "over_email_send_rate_limit"));
    assert_eq!(refused.header("retry-after"), "7");
}

#[tokio::test]
async fn two_who_show_the_same_code_get_one_session() {
    let project = Lab::project("").await;
    for _ in 0..5 {
        post(&project, "/otp", json!({"email": EMAIL})).await;
        let code = shown(&project.message(EMAIL).await);
        let (one, other, asked) = tokio::join!(
            verify(&project, code.clone()),
            verify(&project, code.clone()),
            post(&project, "/recover", json!({"email": EMAIL})),
        );
        let mut statuses = [one.status.as_u16(), other.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(asked.status, StatusCode::OK, "nobody stands in another's way");
        // A newer code may have taken its place before either was heard.
        assert!(matches!(statuses, [200 | 403, 403]), "{statuses:?}");
    }
}

#[tokio::test]
async fn a_project_is_made_with_its_settings() {
    let project = Lab::make(&json!({"bare": true, "auth": {"confirm_email": true}})).await;
    post(&project, "/signup", json!({"email": EMAIL, "password": PASSWORD})).await;
    let session = verify(&project, shown(&project.message(EMAIL).await)).await.json();
    assert!(!Person::of(&session).id.is_empty());
    let settings = Reply::to(project.ask(Method::GET, "/auth/v1/settings")).await.json();
    assert_eq!(settings["mailer_autoconfirm"], false);
}
