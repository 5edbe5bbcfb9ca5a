//! Sessions: signing up, in and out, renewing, and administration.

use supabase_sdk::ErrorKind;
use supabase_sdk::auth::NewUser;
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
