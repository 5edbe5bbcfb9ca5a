//! Sessions: signing up, in and out, renewing, and administration.

use serde_json::{Value, json};
use supabase_sdk::auth::{
    AuthEvent, Contact, Level, NewUser, Otp, Pkce, Purpose, Recover, Resend, Scope, SignUp, UserChange,
    Verify,
};
use supabase_sdk::{ErrorKind, Request, Token};
use totp_rs::Totp;
use uuid::Uuid;

use crate::project::Project;

#[tokio::test]
async fn a_person_signs_up_and_in_and_out() {
    let project = Project::target().await;
    let client = project.anonymous();
    let email = format!("new-{}@garage.test", Uuid::new_v4().simple());
    let session =
        client.auth().sign_up(&email, "correct horse").await.unwrap().expect("addresses need no mail here");
    assert_eq!(client.auth().user().await.unwrap().id, session.user.id);
    let taken = project.anonymous().auth().sign_up(&email, "correct horse").await.unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);

    let renewed = client.auth().refresh().await.unwrap();
    assert_ne!(renewed.refresh_token, session.refresh_token);
    client.auth().sign_out().await.unwrap();
    assert!(client.auth().session().await.unwrap().is_none());
    client.auth().set_session(renewed).await.unwrap();
    let over = client.auth().refresh().await.unwrap_err();
    assert_eq!(over.kind(), ErrorKind::Unauthenticated);

    let wrong = client.auth().sign_in_with_password(&email, "wrong horse").await.unwrap_err();
    assert_eq!((wrong.kind(), wrong.code()), (ErrorKind::Invalid, Some("invalid_credentials")));
    let session = client.auth().sign_in_with_password(&email, "correct horse").await.unwrap();
    project.secret().auth().admin().delete_user(session.user.id).await.unwrap();
}

#[tokio::test]
async fn the_secret_key_administers_users_and_nothing_else_does() {
    let project = Project::target().await;
    let admin = project.secret().auth().admin();
    let email = format!("Made-{}@garage.test", Uuid::new_v4().simple());
    let new = NewUser { email: email.clone(), email_confirm: true, ..NewUser::default() };
    let made = admin.create_user(&new).await.unwrap();
    assert_eq!(admin.user_by_email(&email.to_uppercase()).await.unwrap().unwrap().id, made.id);
    assert_eq!(admin.create_user(&new).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert!(admin.user_by_email("nobody@garage.test").await.unwrap().is_none());

    let zoe = project.person("zoe").await;
    for client in [&zoe.client, &project.anonymous()] {
        let error = client.auth().admin().users(1, 10).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden), "{error}");
    }
    admin.delete_user(made.id).await.unwrap();
    assert_eq!(admin.user(made.id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn both_styles_of_key_open_the_same_doors() {
    let project = Project::embedded().await;
    let zoe = project.person("zoe").await;
    let place = project.place();
    for (app, secret) in
        [(&place.publishable_key, &place.secret_key), (&place.anon_key, &place.service_role_key)]
    {
        let client = supabase_sdk::Client::builder(&project.url, app).build().unwrap();
        client.auth().sign_in_with_password(&zoe.email, &zoe.password).await.unwrap();
        client.from("customers").select("*").fetch().await.unwrap();
        let secret = supabase_sdk::Client::builder(&project.url, secret).build().unwrap();
        secret.from("customers").select("*").fetch().await.unwrap();
    }
    let unknown = supabase_sdk::Client::builder(&project.url, "sb_publishable_unknown").build().unwrap();
    let error = unknown.from("customers").select("*").fetch().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

/// The table at the head of `supabase_sdk::auth`, line by line.
#[tokio::test]
async fn each_kind_of_wrong_input_has_its_kind_of_error() {
    let project = Project::embedded().await;
    let person = project.person("kinds").await;
    let (anybody, nobody) = (project.anonymous(), address("nobody"));
    let auth = anybody.auth();
    let kind = |error: supabase_sdk::Error| (error.kind(), error.code().map(str::to_owned));
    let is = |kind: ErrorKind, code: &str| (kind, Some(code.to_owned()));

    let weak = auth.sign_up(&nobody, "short").await.unwrap_err();
    assert_eq!(weak.details()["reasons"], json!(["length"]));
    assert_eq!(kind(weak), is(ErrorKind::Invalid, "weak_password"));
    for (email, password) in [(&nobody, "correct horse"), (&person.email, "wrong horse")] {
        let error = auth.sign_in_with_password(email, password).await.unwrap_err();
        assert_eq!(kind(error), is(ErrorKind::Invalid, "invalid_credentials"));
    }
    let wrong = auth.verify_otp(&Verify::code(&person.email, "000000", Purpose::Email)).await.unwrap_err();
    assert_eq!(kind(wrong), is(ErrorKind::Invalid, "otp_expired"));
    let wrong = auth.verify_otp(&Verify::link("made-up", Purpose::Recovery)).await.unwrap_err();
    assert_eq!(kind(wrong), is(ErrorKind::Invalid, "otp_expired"));
    let flow = auth.exchange_code(&Uuid::new_v4().to_string(), &Pkce::random()).await.unwrap_err();
    assert_eq!(kind(flow), is(ErrorKind::Invalid, "flow_state_not_found"));
    let taken = auth.sign_up(&person.email, "correct horse").await.unwrap_err();
    assert_eq!(kind(taken), is(ErrorKind::Conflict, "user_already_exists"));

    let session = person.client.auth().session().await.unwrap().unwrap();
    for text in ["none", "a.b.c"] {
        let error = auth.user_of(&Token::new(text)).await.unwrap_err();
        assert_eq!(kind(error), is(ErrorKind::Unauthenticated, "bad_jwt"));
        assert_eq!(
            kind(auth.claims_of(&Token::new(text)).await.unwrap_err()),
            (ErrorKind::Unauthenticated, None)
        );
    }
    let other = Project::embedded().await;
    let foreign = other.person("foreign").await.client.auth().session().await.unwrap().unwrap();
    for error in [
        auth.user_of(&foreign.access_token).await.unwrap_err(),
        auth.claims_of(&foreign.access_token).await.unwrap_err(),
    ] {
        assert_eq!(kind(error), is(ErrorKind::Unauthenticated, "bad_jwt"));
    }

    let mfa = person.client.auth().mfa();
    let factor = mfa.enroll_totp("app", None).await.unwrap();
    let wrong = mfa.challenge_and_verify(&factor.id, "000000").await.unwrap_err();
    assert_eq!(kind(wrong), is(ErrorKind::Invalid, "mfa_verification_failed"));

    project.secret().auth().admin().sign_out(&session.access_token, Scope::Global).await.unwrap();
    let over = person.client.auth().refresh().await.unwrap_err();
    assert_eq!(kind(over), is(ErrorKind::Unauthenticated, "refresh_token_not_found"));
    let gone = auth.claims_of(&session.access_token).await.unwrap_err();
    assert_eq!(kind(gone), is(ErrorKind::Unauthenticated, "session_not_found"));

    project.secret().auth().admin().update_user(person.id, &json!({ "ban_duration": "24h" })).await.unwrap();
    let banned = auth.sign_in_with_password(&person.email, &person.password).await.unwrap_err();
    assert_eq!(kind(banned), is(ErrorKind::Forbidden, "user_banned"));
    settings(&project, json!({ "messages_left": 0 })).await;
    let limited = auth.sign_in_with_otp(&Otp::to(&person.email)).await.unwrap_err();
    assert_eq!(kind(limited), is(ErrorKind::Busy, "over_email_send_rate_limit"));
}

/// What the project would have mailed somebody last.
async fn mail(project: &Project, to: &str) -> Value {
    let secret = project.secret();
    let inbox = secret.send(Request::get("/inbox").query("to", to)).await.unwrap().accepted().unwrap();
    inbox.json::<Vec<Value>>().unwrap().pop().expect("a mail")
}

async fn settings(project: &Project, settings: Value) {
    let request = Request::new(http::Method::PUT, "/inbox/settings").json(&settings).unwrap();
    project.secret().send(request).await.unwrap().accepted().unwrap();
}

fn address(name: &str) -> String {
    format!("{name}-{}@garage.test", Uuid::new_v4().simple())
}

#[tokio::test]
async fn an_address_is_confirmed_by_a_code_and_a_password_is_recovered_by_a_link() {
    let project = Project::embedded().await;
    settings(&project, json!({ "confirm_email": true })).await;
    let (client, email) = (project.anonymous(), address("ana"));
    let auth = client.auth();
    let person = SignUp::new(&email, "correct horse").data(json!({ "name": "Ana" }));
    assert_eq!(auth.sign_up_with(&person).await.unwrap(), None, "not before the address is confirmed");
    let early = auth.sign_in_with_password(&email, "correct horse").await.unwrap_err();
    assert_eq!(early.code(), Some("email_not_confirmed"));
    let wrong = auth.verify_otp(&Verify::code(&email, "000000", Purpose::SignUp)).await.unwrap_err();
    assert_eq!((wrong.kind(), wrong.code()), (ErrorKind::Invalid, Some("otp_expired")));
    auth.resend(&Resend::to(&email, Purpose::SignUp)).await.unwrap();
    let code = mail(&project, &email).await["token"].as_str().unwrap().to_owned();
    let session = auth.verify_otp(&Verify::code(&email, &code, Purpose::SignUp)).await.unwrap().unwrap();
    assert_eq!(session.user.user_metadata["name"], "Ana");
    let again = auth.verify_otp(&Verify::code(&email, &code, Purpose::SignUp)).await.unwrap_err();
    assert_eq!(again.code(), Some("otp_expired"), "once");
    auth.sign_out().await.unwrap();

    auth.reset_password(&Recover::by(&email)).await.unwrap();
    let hash = mail(&project, &email).await["token_hash"].as_str().unwrap().to_owned();
    auth.verify_otp(&Verify::link(&hash, Purpose::Recovery)).await.unwrap().unwrap();
    let weak = UserChange { password: Some("short".to_owned()), ..UserChange::default() };
    assert_eq!(auth.update_user(&weak).await.unwrap_err().code(), Some("weak_password"));
    let change = UserChange { password: Some("battery staple".to_owned()), ..UserChange::default() };
    auth.update_user(&change).await.unwrap();
    auth.sign_in_with_password(&email, "battery staple").await.unwrap();
}

#[tokio::test]
async fn a_code_from_a_mail_or_a_message_lets_somebody_in() {
    let project = Project::embedded().await;
    let (client, email) = (project.anonymous(), address("otp"));
    let auth = client.auth();
    let unknown = auth.sign_in_with_otp(&Otp::to(&email).known_only()).await.unwrap_err();
    assert_eq!(unknown.code(), Some("otp_disabled"));
    auth.sign_in_with_otp(&Otp::to(&email)).await.unwrap();
    let code = mail(&project, &email).await["token"].as_str().unwrap().to_owned();
    auth.verify_otp(&Verify::code(&email, &code, Purpose::Email)).await.unwrap().unwrap();

    let phone = Contact::Phone(format!("2126{:08}", Uuid::new_v4().as_u128() % 100_000_000));
    let Contact::Phone(number) = &phone else { unreachable!() };
    auth.sign_in_with_otp(&Otp::to(phone.clone())).await.unwrap();
    let code = mail(&project, number).await["token"].as_str().unwrap().to_owned();
    let session = auth.verify_otp(&Verify::code(phone.clone(), &code, Purpose::Sms)).await.unwrap().unwrap();
    assert_eq!(session.user.phone.as_deref(), Some(number.as_str()));
}

#[tokio::test]
async fn a_code_in_an_address_is_good_for_who_holds_the_secret() {
    let project = Project::embedded().await;
    let (client, email) = (project.anonymous(), address("pkce"));
    let auth = client.auth();
    let pkce = Pkce::random();
    auth.sign_in_with_otp(&Otp::to(&email).pkce(&pkce).redirect_to("http://127.0.0.1:9/app")).await.unwrap();
    let link = mail(&project, &email).await["link"].as_str().unwrap().to_owned();
    let path = link.strip_prefix(&project.url).unwrap().to_owned();
    let followed = client.send(Request::get(path)).await.unwrap();
    let location = followed.headers[http::header::LOCATION].to_str().unwrap().to_owned();
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    let thief = auth.exchange_code(&code, &Pkce::random()).await.unwrap_err();
    assert!(!thief.is_retryable(), "{thief}");
    let session = auth.exchange_code(&code, &pkce).await.unwrap();
    assert_eq!(session.user.email.as_deref(), Some(email.as_str()));
}

#[tokio::test]
async fn nobody_in_particular_becomes_somebody() {
    let project = Project::embedded().await;
    let client = project.anonymous();
    let session = client.auth().sign_in_anonymously().await.unwrap();
    assert!(session.user.is_anonymous && client.role() == "authenticated");
    let email = address("somebody");
    let change = UserChange { email: Some(email.clone()), ..UserChange::default() };
    client.auth().update_user(&change).await.unwrap();
    let user = client.auth().user().await.unwrap();
    assert_eq!((user.id, user.email.as_deref()), (session.user.id, Some(email.as_str())));
}

/// The code an app shows now, from the address it was given.
fn totp(address: &str) -> String {
    Totp::from_url(address).unwrap().generate_current().to_string()
}

#[tokio::test]
async fn a_second_factor_raises_the_session() {
    let project = Project::embedded().await;
    let person = project.person("mfa").await;
    let mfa = person.client.auth().mfa();
    let enrolled = mfa.enroll_totp("phone", Some("Garage")).await.unwrap();
    let app = enrolled.totp.as_ref().unwrap();
    assert!(app.uri.starts_with("otpauth://totp/") && !format!("{enrolled:?}").contains(&app.secret));
    let wrong = mfa.challenge_and_verify(&enrolled.id, "abcdef").await.unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Invalid);
    let before = mfa.assurance().await.unwrap();
    assert_eq!((before.current, before.next), (Level::One, Level::One));
    assert_eq!(before.methods[0].method, "password");

    let mut events = person.client.auth().events();
    mfa.challenge_and_verify(&enrolled.id, &totp(&app.uri)).await.unwrap();
    assert!(matches!(events.try_recv(), Ok(AuthEvent::MfaVerified(_))));
    let after = mfa.assurance().await.unwrap();
    assert_eq!((after.current, after.next), (Level::Two, Level::Two));
    let methods: Vec<_> = after.methods.iter().map(|by| by.method.as_str()).collect();
    assert_eq!(methods, ["totp", "password"]);
    assert_eq!(person.client.auth().claims().await.unwrap().unwrap().aal, Some(Level::Two));

    // Signed in again, the second factor is still to come.
    let again = project.anonymous();
    again.auth().sign_in_with_password(&person.email, &person.password).await.unwrap();
    let due = again.auth().mfa().assurance().await.unwrap();
    assert_eq!((due.current, due.next), (Level::One, Level::Two));
    let low = again.auth().mfa().unenroll(&enrolled.id).await.unwrap_err();
    assert_eq!((low.kind(), low.code()), (ErrorKind::Forbidden, Some("insufficient_aal")));

    let admin = project.secret().auth().admin();
    let factors = admin.factors(person.id).await.unwrap();
    assert_eq!((factors.len(), factors[0].status.as_str()), (1, "verified"));
    admin.delete_factor(person.id, enrolled.id.parse().unwrap()).await.unwrap();
    assert_eq!(mfa.factors().await.unwrap(), []);
}

#[tokio::test]
async fn a_phone_is_a_second_factor_too() {
    let project = Project::embedded().await;
    let person = project.person("mfa").await;
    let mfa = person.client.auth().mfa();
    let number = format!("2126{:08}", Uuid::new_v4().as_u128() % 100_000_000);
    let enrolled = mfa.enroll_phone("mine", &number).await.unwrap();
    let challenge = mfa.challenge(&enrolled.id).await.unwrap();
    let code = mail(&project, &number).await["token"].as_str().unwrap().to_owned();
    mfa.verify(&enrolled.id, &challenge.id, &code).await.unwrap();
    assert_eq!(mfa.assurance().await.unwrap().current, Level::Two);
    mfa.unenroll(&enrolled.id).await.unwrap();
}

/// Tokens that are signed with a key of two halves are checked here; the server is not asked.
#[tokio::test]
async fn claims_are_checked_by_the_projects_public_keys() {
    let project = Project::embedded().await;
    settings(&project, json!({ "signing": "ES256" })).await;
    let person = project.person("claims").await;
    project.faults(json!([{ "path": "/auth/v1/user", "action": { "kind": "answer", "status": 500 } }])).await;
    let claims = person.client.auth().claims().await.unwrap().unwrap();
    assert_eq!((claims.user_id(), claims.role.as_deref()), (Some(person.id), Some("authenticated")));
    assert_eq!(claims.aud, ["authenticated"]);
    settings(&project, json!({ "signing": "HS256" })).await;
    person.client.auth().refresh().await.unwrap();
    let unasked = person.client.auth().claims().await.unwrap_err();
    assert!(unasked.is_retryable(), "{unasked}");
    project.faults(json!([])).await;
    assert_eq!(person.client.auth().claims().await.unwrap().unwrap().user_id(), Some(person.id));
}

#[tokio::test]
async fn users_are_listed_by_the_page() {
    let project = Project::embedded().await;
    for name in ["a", "b", "c"] {
        project.person(name).await;
    }
    let admin = project.secret().auth().admin();
    let first = admin.users(1, 2).await.unwrap();
    assert_eq!((first.items.len(), first.total, first.next), (2, 3, Some(2)));
    let last = admin.users(2, 2).await.unwrap();
    assert_eq!((last.items.len(), last.total, last.next), (1, 3, None));
}

#[tokio::test]
async fn sessions_end_as_far_as_is_asked() {
    let project = Project::embedded().await;
    let person = project.person("two").await;
    let other = project.anonymous();
    other.auth().sign_in_with_password(&person.email, &person.password).await.unwrap();
    person.client.auth().sign_out_of(Scope::Others).await.unwrap();
    assert_eq!(other.auth().refresh().await.unwrap_err().kind(), ErrorKind::Unauthenticated);
    person.client.auth().refresh().await.unwrap();
    person.client.auth().sign_out_of(Scope::Local).await.unwrap();
    assert_eq!(person.client.auth().user().await.unwrap_err().kind(), ErrorKind::Unauthenticated);

    let admin = project.secret().auth().admin();
    let link = admin.generate_link(Purpose::MagicLink, &person.email, None).await.unwrap();
    let client = project.anonymous();
    client.auth().verify_otp(&Verify::link(&link.hashed_token, Purpose::MagicLink)).await.unwrap().unwrap();
    admin.update_user(person.id, &json!({ "ban_duration": "24h" })).await.unwrap();
    let banned = client.auth().sign_in_with_password(&person.email, &person.password).await.unwrap_err();
    assert_eq!(banned.code(), Some("user_banned"));
    let guest = address("guest");
    let invited = admin.invite(&guest, &json!({ "a": 1 }), None).await.unwrap();
    assert_eq!(mail(&project, &guest).await["kind"], "invite");
    admin.soft_delete_user(invited.id).await.unwrap();
}
