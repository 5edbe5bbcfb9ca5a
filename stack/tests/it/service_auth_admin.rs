//! What the auth service promises to admins: invitations, links, numbers, and accounts forgotten.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    service::{Lab, Person, Project, Reply},
    service_auth::{EMAIL, PASSWORD, as_admin, as_person, post, refresh, refusal, sign_in},
    service_auth_codes::open,
};

async fn invite(project: &Project, body: Value) -> Reply {
    let request = project.command(Method::POST, "/auth/v1/invite?redirect_to=https://app.example.com/in");
    Reply::to(request.header("x-supabase-api-version", "2024-01-01").json(&body)).await
}

async fn link(project: &Project, body: Value) -> Reply {
    as_admin(project, Method::POST, "/generate_link", body).await
}

#[tokio::test]
async fn somebody_invited_comes_and_chooses_a_password() {
    let project = Lab::project("").await;
    let user = invite(&project, json!({"email": EMAIL, "data": {"team": "red"}})).await;
    assert_eq!(user.status, StatusCode::OK, "{}", user.body);
    assert!(user.json()["invited_at"].is_string());
    assert_eq!(user.json()["user_metadata"]["team"], "red");
    let message = project.message(EMAIL).await;
    assert_eq!(
        (&message["kind"], &message["redirect_to"]),
        (&json!("invite"), &json!("https://app.example.com/in"))
    );
    assert_eq!(sign_in(&project, PASSWORD).await.refusal(), refusal(400, "invalid_credentials"));
    let again = invite(&project, json!({"email": EMAIL})).await;
    assert_eq!(again.json()["id"], user.json()["id"], "who has not come may be asked again");
    let (place, fragment) = open(&project.message(EMAIL).await["link"]).await;
    assert_eq!(place, "https://app.example.com/in");
    assert!(fragment.ends_with("type=invite"), "{fragment}");
    let token = fragment.split('&').next().unwrap().strip_prefix("access_token=").unwrap();
    let request = project.ask(Method::PUT, "/auth/v1/user").bearer_auth(token);
    assert_eq!(Reply::to(request.json(&json!({"password": PASSWORD}))).await.status, StatusCode::OK);
    assert_eq!(sign_in(&project, PASSWORD).await.status, StatusCode::OK);
    let late = invite(&project, json!({"email": EMAIL})).await;
    assert_eq!(late.refusal(), refusal(422, "email_exists"));
    let ana = Person::of(&sign_in(&project, PASSWORD).await.json());
    let denied = as_person(&project, &ana, Method::POST, "/invite", json!({"email": "b@example.com"})).await;
    assert_eq!(denied.refusal(), refusal(403, "not_admin"));
}

#[tokio::test]
async fn an_admin_makes_the_link_instead_of_mailing_it() {
    let project = Lab::project("").await;
    let made =
        link(&project, json!({"type": "signup", "email": EMAIL, "password": PASSWORD, "data": {"a": 1}}))
            .await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let made = made.json();
    assert_eq!((&made["verification_type"], &made["email"]), (&json!("signup"), &json!(EMAIL)));
    assert_eq!(project.inbox(EMAIL).await.len(), 0, "nothing is mailed");
    let (place, fragment) = open(&made["action_link"]).await;
    assert!(place.starts_with("http://127.0.0.1:3000") && fragment.contains("type=signup"), "{place}");
    assert_eq!(sign_in(&project, PASSWORD).await.status, StatusCode::OK);
    for kind in ["magiclink", "recovery"] {
        let body = json!({"type": kind, "email": EMAIL, "redirectTo": "https://app.example.com"});
        let made = link(&project, body).await.json();
        assert_eq!(made["redirect_to"], "https://app.example.com");
        let by_hash = json!({"type": kind, "token_hash": made["hashed_token"]});
        assert_eq!(post(&project, "/verify", by_hash).await.status, StatusCode::OK);
        let made = link(&project, json!({"type": kind, "email": EMAIL})).await.json();
        let by_code = json!({"type": kind, "email": EMAIL, "token": made["email_otp"]});
        assert_eq!(post(&project, "/verify", by_code).await.status, StatusCode::OK);
    }
    let new = link(&project, json!({"type": "magiclink", "email": "new@example.com"})).await.json();
    assert_eq!(new["verification_type"], "signup", "a link for nobody makes somebody");
    let invited = link(&project, json!({"type": "invite", "email": "in@example.com"})).await.json();
    assert!(invited["invited_at"].is_string());
    for (body, expected) in [
        (json!({"type": "signup", "email": EMAIL, "password": PASSWORD}), refusal(422, "email_exists")),
        (json!({"type": "invite", "email": EMAIL}), refusal(422, "email_exists")),
        (json!({"type": "recovery", "email": "x@example.com"}), refusal(404, "user_not_found")),
        (json!({"type": "nonsense", "email": EMAIL}), refusal(400, "validation_failed")),
        (json!({"type": "signup"}), refusal(400, "validation_failed")),
    ] {
        assert_eq!(link(&project, body.clone()).await.refusal(), expected, "{body}");
    }
}

#[tokio::test]
async fn an_admin_makes_both_links_of_a_change() {
    let project = Lab::project("").await;
    project.sign_up(EMAIL).await;
    let body = |kind| json!({"type": kind, "email": EMAIL, "new_email": "new@example.com"});
    let old = link(&project, body("email_change_current")).await.json();
    let new = link(&project, body("email_change_new")).await.json();
    let show = |hash: &Value| json!({"type": "email_change", "token_hash": hash});
    let half = post(&project, "/verify", show(&old["hashed_token"])).await.json();
    assert_eq!(half["code"], "200");
    let whole = post(&project, "/verify", show(&new["hashed_token"])).await.json();
    assert_eq!(whole["user"]["email"], "new@example.com");
}

#[tokio::test]
async fn an_account_is_forgotten_and_its_row_stays() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    let path = format!("/users/{}", ana.id);
    let gone = as_admin(&project, Method::DELETE, &path, json!({"should_soft_delete": true})).await;
    assert_eq!((gone.status, gone.body.as_str()), (StatusCode::OK, "{}"));
    let left = as_admin(&project, Method::GET, &path, json!(null)).await.json();
    assert!(left["deleted_at"].is_string(), "{left}");
    assert!(!left.to_string().contains("ana@"), "{left}");
    assert_eq!(left["user_metadata"], json!({}));
    assert_eq!(sign_in(&project, PASSWORD).await.refusal(), refusal(400, "invalid_credentials"));
    assert_eq!(
        refresh(&project, &ana.refresh_token).await.refusal(),
        refusal(400, "refresh_token_not_found")
    );
    let again = project.sign_up(EMAIL).await;
    assert_ne!(again.id, ana.id, "the address is free");
}

#[tokio::test]
async fn an_admin_gives_an_account_a_number() {
    let project = Lab::project("").await;
    let body = json!({"phone": "+4915", "phone_confirm": true, "password": PASSWORD});
    let made = as_admin(&project, Method::POST, "/users", body.clone()).await.json();
    assert_eq!((&made["phone"], &made["app_metadata"]["provider"]), (&json!("4915"), &json!("phone")));
    assert!(made["phone_confirmed_at"].is_string());
    let twice = as_admin(&project, Method::POST, "/users", body).await;
    assert_eq!(twice.refusal(), refusal(422, "phone_exists"));
    let asked = json!({"phone": "4915", "password": PASSWORD});
    assert_eq!(post(&project, "/token?grant_type=password", asked).await.status, StatusCode::OK);
    let path = format!("/users/{}", made["id"].as_str().unwrap());
    let both = json!({"email": EMAIL, "email_confirm": true});
    let both = as_admin(&project, Method::PUT, &path, both).await.json();
    assert_eq!(both["app_metadata"]["providers"], json!(["phone", "email"]));
    assert_eq!(sign_in(&project, PASSWORD).await.status, StatusCode::OK);
    let nobody = as_admin(&project, Method::POST, "/users", json!({})).await;
    assert_eq!(nobody.refusal(), refusal(400, "validation_failed"));
}

#[tokio::test]
async fn an_identity_is_unlinked_unless_it_is_the_last() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    let of = |user: &Value, provider: &str| -> String {
        let identities = user["identities"].as_array().unwrap();
        let identity = identities.iter().find(|identity| identity["provider"] == provider).unwrap();
        format!("/user/identities/{}", identity["identity_id"].as_str().unwrap())
    };
    let user = as_person(&project, &ana, Method::GET, "/user", json!(null)).await.json();
    let last = as_person(&project, &ana, Method::DELETE, &of(&user, "email"), json!(null)).await;
    assert_eq!(last.refusal(), refusal(422, "single_identity_not_deletable"));
    let user = as_person(&project, &ana, Method::PUT, "/user", json!({"phone": "4915"})).await.json();
    assert_eq!(user["phone"], "4915");
    let unknown = "/user/identities/5eed0000-0000-4000-8000-00000000000a";
    let missing = as_person(&project, &ana, Method::DELETE, unknown, json!(null)).await;
    assert_eq!(missing.refusal(), refusal(422, "identity_not_found"));
    let gone = as_person(&project, &ana, Method::DELETE, &of(&user, "phone"), json!(null)).await;
    assert_eq!((gone.status, gone.body.as_str()), (StatusCode::OK, "{}"));
    let user = as_person(&project, &ana, Method::GET, "/user", json!(null)).await.json();
    assert_eq!((&user["phone"], &user["app_metadata"]["providers"]), (&json!(""), &json!(["email"])));
    project.set_auth(&json!({"manual_linking": false})).await;
    let off = as_person(&project, &ana, Method::DELETE, &of(&user, "email"), json!(null)).await;
    assert_eq!(off.refusal(), refusal(404, "manual_linking_disabled"));
}

#[tokio::test]
async fn an_admin_signs_somebody_out_by_their_token() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    let request =
        project.command(Method::POST, "/auth/v1/logout?scope=global").bearer_auth(&ana.access_token);
    assert_eq!(Reply::to(request).await.status, StatusCode::NO_CONTENT);
    assert_eq!(
        refresh(&project, &ana.refresh_token).await.refusal(),
        refusal(400, "refresh_token_not_found")
    );
}
