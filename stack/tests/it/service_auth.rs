//! What the auth service promises.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::service::{Lab, Person, Project, Reply};

pub(crate) const EMAIL: &str = "ana@example.com";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) async fn post(project: &Project, path: &str, body: Value) -> Reply {
    let request = project.ask(Method::POST, &format!("/auth/v1{path}"));
    Reply::to(request.header("x-supabase-api-version", "2024-01-01").json(&body)).await
}

pub(crate) async fn refresh(project: &Project, token: &str) -> Reply {
    post(project, "/token?grant_type=refresh_token", json!({"refresh_token": token})).await
}

pub(crate) async fn sign_in(project: &Project, password: &str) -> Reply {
    post(project, "/token?grant_type=password", json!({"email": EMAIL, "password": password})).await
}

pub(crate) async fn as_person(
    project: &Project,
    person: &Person,
    method: Method,
    path: &str,
    body: Value,
) -> Reply {
    let request = project.ask(method, &format!("/auth/v1{path}")).bearer_auth(&person.access_token);
    Reply::to(request.header("x-supabase-api-version", "2024-01-01").json(&body)).await
}

pub(crate) async fn as_admin(project: &Project, method: Method, path: &str, body: Value) -> Reply {
    let request = project.command(method, &format!("/auth/v1/admin{path}"));
    Reply::to(request.header("x-supabase-api-version", "2024-01-01").json(&body)).await
}

pub(crate) fn refusal(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// The claims of a token, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn a_sign_up_is_a_session_at_once() {
    let project = Lab::project("").await;
    let asked = json!({"email": "Ana@Example.com", "password": PASSWORD, "data": {"name": "Ana"}});
    let reply = post(&project, "/signup", asked).await;
    assert_eq!(reply.status, StatusCode::OK);
    let session = reply.json();
    assert_eq!(session["token_type"], "bearer");
    assert_eq!(session["expires_in"], 3600);
    let user = &session["user"];
    assert_eq!(user["email"], EMAIL);
    assert_eq!(user["role"], "authenticated");
    assert_eq!(user["app_metadata"], json!({"provider": "email", "providers": ["email"]}));
    assert_eq!(user["user_metadata"]["name"], "Ana");
    assert_eq!(user["user_metadata"]["email_verified"], true);
    assert_eq!(user["identities"][0]["provider"], "email");
    assert_eq!(user["identities"][0]["identity_data"]["sub"], user["id"]);
    let claims = claims(session["access_token"].as_str().unwrap());
    assert_eq!(claims["sub"], user["id"]);
    assert_eq!(claims["aud"], "authenticated");
    assert_eq!(claims["aal"], "aal1");
    assert_eq!(claims["amr"][0]["method"], "password");
    assert_eq!(claims["iss"], format!("{}/auth/v1", project.api_url));
    assert_eq!(claims["exp"], session["expires_at"]);
    let stored = "select count(*) from auth.users join auth.identities on user_id = users.id
        join auth.sessions using (user_id) where confirmed_at is not null
        and raw_user_meta_data ->> 'name' = 'Ana' and encrypted_password like '$2a$%'";
    assert_eq!(project.text(stored).await, "1");
}

#[tokio::test]
async fn a_sign_up_that_makes_no_sense_is_refused() {
    let project = Lab::project("").await;
    project.sign_up(EMAIL).await;
    let long = "x".repeat(73);
    for (asked, expected) in [
        (json!({"email": EMAIL, "password": PASSWORD}), refusal(422, "user_already_exists")),
        (json!({"email": "b@example.com", "password": "12345"}), refusal(422, "weak_password")),
        (json!({"email": "b@example.com", "password": long}), refusal(400, "validation_failed")),
        (json!({"email": "b@example.com"}), refusal(400, "validation_failed")),
        (json!({"email": "nonsense", "password": PASSWORD}), refusal(400, "validation_failed")),
        (json!({"phone": "0", "password": PASSWORD}), refusal(400, "validation_failed")),
        (json!({"email": "b@example.com", "phone": "4915"}), refusal(400, "validation_failed")),
        (json!([]), refusal(400, "bad_json")),
    ] {
        assert_eq!(post(&project, "/signup", asked.clone()).await.refusal(), expected, "{asked}");
    }
    let weak = post(&project, "/signup", json!({"email": "b@example.com", "password": "12345"})).await;
    assert_eq!(weak.json()["weak_password"]["reasons"], json!(["length"]));
}

#[tokio::test]
async fn an_older_client_gets_the_older_error() {
    let project = Lab::project("").await;
    let request = project.ask(Method::POST, "/auth/v1/token?grant_type=password");
    let reply = Reply::to(request.json(&json!({"email": EMAIL, "password": PASSWORD}))).await;
    let body = reply.json();
    assert_eq!(
        body,
        json!({
            "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials",
        })
    );
    assert_eq!(reply.header("x-sb-error-code"), "invalid_credentials");
}

#[tokio::test]
async fn a_person_signs_in_with_their_own_password_only() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    assert_eq!(sign_in(&project, "wrong horse").await.refusal(), refusal(400, "invalid_credentials"));
    let reply = sign_in(&project, PASSWORD).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["user"]["id"], ana.id.as_str());
    let user = as_person(&project, &ana, Method::GET, "/user", json!(null)).await;
    assert_eq!(user.json()["identities"][0]["user_id"], ana.id.as_str());
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_forgiven_shortly() {
    let project = Lab::project("").await;
    let first = project.sign_up(EMAIL).await.refresh_token;
    let second = Person::of(&refresh(&project, &first).await.json()).refresh_token;
    assert_ne!(first, second);
    let again = Person::of(&refresh(&project, &first).await.json()).refresh_token;
    assert_eq!(again, second, "its successor seems to have been lost");
    let third = Person::of(&refresh(&project, &second).await.json()).refresh_token;
    let age = "update auth.refresh_tokens set updated_at = now() - interval '11 seconds'";
    project.sql(age).await;
    let late = refresh(&project, &first).await;
    assert_eq!(late.refusal(), refusal(400, "refresh_token_already_used"));
    project.sql(age).await; // what was just used up is forgiven for a while, too
    let kin = refresh(&project, &third).await;
    assert_eq!(kin.refusal(), refusal(400, "refresh_token_already_used"), "the whole family is used up");
    assert_eq!(refresh(&project, "unknown").await.refusal(), refusal(400, "refresh_token_not_found"));
}

#[tokio::test]
async fn two_who_show_the_same_token_get_the_same_successor() {
    let project = Lab::project("").await;
    let token = project.sign_up(EMAIL).await.refresh_token;
    let (one, other) = tokio::join!(refresh(&project, &token), refresh(&project, &token));
    let (one, other) = (Person::of(&one.json()), Person::of(&other.json()));
    assert_eq!(one.refresh_token, other.refresh_token);
}

#[tokio::test]
async fn signing_out_ends_the_sessions_it_says() {
    for (scope, here, elsewhere) in
        [("local", false, true), ("others", true, false), ("global", false, false), ("", false, false)]
    {
        let project = Lab::project("").await;
        let phone = project.sign_up(EMAIL).await;
        let laptop = Person::of(&sign_in(&project, PASSWORD).await.json());
        let path = format!("/logout?scope={scope}");
        let reply = as_person(&project, &phone, Method::POST, &path, json!({})).await;
        assert_eq!(reply.status, StatusCode::NO_CONTENT);
        for (device, lives) in [(&phone, here), (&laptop, elsewhere)] {
            let refreshed = refresh(&project, &device.refresh_token).await;
            let user = as_person(&project, device, Method::GET, "/user", json!(null)).await;
            if lives {
                assert_eq!((refreshed.status, user.status), (StatusCode::OK, StatusCode::OK), "{scope}");
            } else {
                assert_eq!(refreshed.refusal(), refusal(400, "refresh_token_not_found"), "{scope}");
                assert_eq!(user.refusal(), refusal(403, "session_not_found"), "{scope}");
            }
        }
    }
}

#[tokio::test]
async fn somebody_changes_their_own_account() {
    let project = Lab::project("").await;
    let phone = project.sign_up(EMAIL).await;
    let laptop = Person::of(&sign_in(&project, PASSWORD).await.json());
    let change = async |body| as_person(&project, &phone, Method::PUT, "/user", body).await;
    let reply = change(json!({"data": {"name": "Ana", "sub": null}})).await;
    assert_eq!(reply.json()["user_metadata"]["name"], "Ana");
    assert_eq!(reply.json()["user_metadata"].get("sub"), None);
    assert_eq!(change(json!({"password": PASSWORD})).await.refusal(), refusal(422, "same_password"));
    assert_eq!(change(json!({"password": "short"})).await.refusal(), refusal(422, "weak_password"));
    assert_eq!(change(json!({"app_metadata": {}})).await.refusal(), refusal(403, "not_admin"));
    assert_eq!(change(json!({"password": "another horse"})).await.status, StatusCode::OK);
    assert_eq!(sign_in(&project, "another horse").await.status, StatusCode::OK);
    assert_eq!(refresh(&project, &laptop.refresh_token).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(refresh(&project, &phone.refresh_token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_refused() {
    let project = Lab::project("").await;
    let user = |token: &str| project.ask(Method::GET, "/auth/v1/user").bearer_auth(token.to_owned());
    let v2024 = |request: reqwest::RequestBuilder| request.header("x-supabase-api-version", "2024-01-01");
    for token in ["nonsense", project.anon_key.as_str()] {
        assert_eq!(Reply::to(v2024(user(token))).await.refusal(), refusal(403, "bad_jwt"), "{token}");
    }
    assert!(!project.jwt_secret.is_empty());
}

#[tokio::test]
async fn only_admins_manage_everybody() {
    let project = Lab::project("").await;
    let ana = project.sign_up(EMAIL).await;
    let denied = as_person(&project, &ana, Method::GET, "/admin/users", json!(null)).await;
    assert_eq!(denied.refusal(), refusal(403, "not_admin"));
    let ask = project.ask(Method::GET, "/auth/v1/admin/users").header("x-supabase-api-version", "2024-01-01");
    assert_eq!(Reply::to(ask).await.refusal(), refusal(403, "not_admin"));
    let bearer = project.ask(Method::GET, "/auth/v1/admin/users").bearer_auth(&project.service_role_key);
    assert_eq!(Reply::to(bearer).await.status, StatusCode::OK);
    assert_eq!(as_admin(&project, Method::GET, "/users", json!(null)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_admin_makes_changes_and_removes_people() {
    let project = Lab::project("").await;
    let id = "5eed0000-0000-4000-8000-00000000000a";
    let asked = json!({
        "id": id, "email": EMAIL, "password": PASSWORD, "email_confirm": true,
        "user_metadata": {"name": "Ana"}, "app_metadata": {"plan": "gold"},
    });
    let made = as_admin(&project, Method::POST, "/users", asked.clone()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.json()["id"], id);
    assert_eq!(made.json()["app_metadata"]["plan"], "gold");
    assert_eq!(made.json()["app_metadata"]["provider"], "email");
    let twice = as_admin(&project, Method::POST, "/users", asked).await;
    assert_eq!(twice.refusal(), refusal(422, "email_exists"));
    let ana = Person::of(&sign_in(&project, PASSWORD).await.json());
    let path = format!("/users/{id}");
    let change = json!({"user_metadata": {"name": null}, "email": "c@example.com", "ban_duration": "24h"});
    let changed = as_admin(&project, Method::PUT, &path, change).await.json();
    assert_eq!(changed["email"], "c@example.com");
    assert_eq!(changed["user_metadata"].get("name"), None);
    assert!(changed["banned_until"].is_string());
    assert_eq!(refresh(&project, &ana.refresh_token).await.refusal(), refusal(400, "user_banned"));
    let lifted = as_admin(&project, Method::PUT, &path, json!({"ban_duration": "none"})).await;
    assert_eq!(lifted.json().get("banned_until"), None);
    assert_eq!(as_admin(&project, Method::GET, &path, json!(null)).await.json()["id"], id);
    let gone = as_admin(&project, Method::DELETE, &path, json!({"should_soft_delete": false})).await;
    assert_eq!((gone.status, gone.body.as_str()), (StatusCode::OK, "{}"));
    let missing = as_admin(&project, Method::GET, &path, json!(null)).await;
    assert_eq!(missing.refusal(), refusal(404, "user_not_found"));
    let user = as_person(&project, &ana, Method::GET, "/user", json!(null)).await;
    assert_eq!(user.refusal(), refusal(403, "user_not_found"));
}

#[tokio::test]
async fn a_hash_made_elsewhere_lets_its_owner_in() {
    let project = Lab::project("").await;
    let bcrypt = project.text("extensions.crypt('correct horse', extensions.gen_salt('bf', 4))").await;
    let asked = json!({"email": EMAIL, "password_hash": bcrypt, "email_confirm": true});
    assert_eq!(as_admin(&project, Method::POST, "/users", asked).await.status, StatusCode::OK);
    assert_eq!(sign_in(&project, PASSWORD).await.status, StatusCode::OK);
    let scrypt = json!({"email": "b@example.com", "password_hash": "$fbscrypt$v=1"});
    let refused = as_admin(&project, Method::POST, "/users", scrypt).await;
    assert_eq!(refused.refusal(), refusal(400, "validation_failed"));
}

#[tokio::test]
async fn somebody_who_is_not_confirmed_can_not_sign_in() {
    let project = Lab::project("").await;
    let asked = json!({"email": EMAIL, "password": PASSWORD});
    as_admin(&project, Method::POST, "/users", asked).await;
    assert_eq!(sign_in(&project, PASSWORD).await.refusal(), refusal(400, "email_not_confirmed"));
}

#[tokio::test]
async fn a_list_of_people_comes_in_pages() {
    let project = Lab::project("").await;
    for name in ["a", "b", "c"] {
        project.sign_up(&format!("{name}@example.com")).await;
    }
    let page = as_admin(&project, Method::GET, "/users?page=1&per_page=2", json!(null)).await;
    let emails: Vec<_> =
        page.json()["users"].as_array().unwrap().iter().map(|u| u["email"].clone()).collect();
    assert_eq!(emails, ["c@example.com", "b@example.com"]);
    assert_eq!(page.header("x-total-count"), "3");
    assert!(page.header("link").contains("page=2"), "{}", page.header("link"));
    let wrong = as_admin(&project, Method::GET, "/users?page=x", json!(null)).await;
    assert_eq!(wrong.refusal(), refusal(400, "validation_failed"));
}

#[tokio::test]
async fn a_trigger_on_sign_up_runs_and_may_refuse() {
    let project = Lab::project(
        "create table profiles (id uuid primary key references auth.users (id) on delete cascade);
        create function make_profile() returns trigger language plpgsql security definer set search_path = '' as $$
        begin
            if new.email = 'no@example.com' then raise exception 'not you'; end if;
            insert into public.profiles (id) values (new.id);
            return new;
        end $$;
        create trigger on_sign_up after insert on auth.users for each row execute function make_profile();",
    )
    .await;
    let ana = project.sign_up(EMAIL).await;
    assert_eq!(project.text("select id from public.profiles").await, ana.id);
    let refused = post(&project, "/signup", json!({"email": "no@example.com", "password": PASSWORD})).await;
    assert_eq!(refused.refusal(), refusal(500, "unexpected_failure"));
    assert_eq!(refused.json()["message"], "Database error saving new user: SQLSTATE P0001");
}

#[tokio::test]
async fn what_is_not_imitated_names_itself() {
    let project = Lab::project("").await;
    for path in ["/sso/saml/acs", "/admin/audit"] {
        let reply = post(&project, path, json!({})).await;
        assert_eq!(reply.refusal(), refusal(501, "not_implemented"));
        assert!(
            reply.json()["message"].as_str().unwrap().contains(&format!("POST {path}")),
            "{}",
            reply.body
        );
    }
}
