//! The project a test runs against, and the people in it.

use std::sync::Mutex;
use supabase_sdk::auth::NewUser;

use supabase_sdk::Client;
use uuid::Uuid;

use crate::lab::{Lab, Place};
use crate::watch;

/// A project. People made here are gone with it.
pub(crate) struct Project {
    pub(crate) url: String,
    pub(crate) publishable_key: String,
    pub(crate) secret_key: String,
    /// Where `psql` gets in; not every project says.
    pub(crate) db_url: Option<String>,
    /// What the lab tells of it; `None` for one that the environment names.
    place: Option<Place>,
    people: Mutex<Vec<Uuid>>,
}

/// Somebody who is signed in.
pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) id: Uuid,
}

impl Project {
    /// The project the environment names, or a fresh one of the embedded stack.
    pub(crate) async fn target() -> Self {
        match Self::from_env() {
            Some(project) => project,
            None => Self::embedded().await,
        }
    }

    /// A fresh one of the embedded stack, whatever the environment says.
    pub(crate) async fn embedded() -> Self {
        Self::of(Lab::get().project().await)
    }

    /// A fresh one of the embedded stack, without our tables.
    pub(crate) async fn bare() -> Self {
        Self::of(Lab::get().bare_project().await)
    }

    /// A fresh one of the embedded stack, with the tables of a file of SQL instead of ours.
    pub(crate) async fn with_tables(sql: &str) -> Self {
        let project = Self::bare().await;
        project.database().await.batch_execute(sql).await.unwrap();
        project.reload().await;
        project
    }

    /// Returns when its REST service knows the tables as they are.
    pub(crate) async fn reload(&self) {
        Lab::get().reload(&self.place().name).await;
    }

    /// The names are those of `supabase status -o env`, and the older ones of hosted projects.
    fn from_env() -> Option<Self> {
        let var = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok());
        Some(Self {
            url: var(&["SUPABASE_URL"])?,
            publishable_key: var(&["SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"])?,
            secret_key: var(&["SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"])?,
            db_url: var(&["SUPABASE_DB_URL"]),
            place: None,
            people: Mutex::default(),
        })
    }

    /// The one a stack serves, by what its `status -o json` says.
    pub(crate) fn of_status(status: &serde_json::Value) -> Self {
        let text = |name: &str| status[name].as_str().unwrap().to_owned();
        ["SECRET_KEY", "SERVICE_ROLE_KEY", "JWT_SECRET"]
            .into_iter()
            .for_each(|name| watch::plant(&text(name)));
        Self {
            url: text("API_URL"),
            publishable_key: text("PUBLISHABLE_KEY"),
            secret_key: text("SECRET_KEY"),
            db_url: Some(text("DB_URL")),
            place: None,
            people: Mutex::default(),
        }
    }

    fn of(place: Place) -> Self {
        let secrets = [&place.secret_key, &place.service_role_key, &place.jwt_secret];
        secrets.into_iter().for_each(|secret| watch::plant(secret));
        Self {
            url: place.api_url.clone(),
            publishable_key: place.publishable_key.clone(),
            secret_key: place.secret_key.clone(),
            db_url: Some(place.db_url.clone()),
            place: Some(place),
            people: Mutex::default(),
        }
    }

    /// What the lab tells of it.
    pub(crate) fn place(&self) -> &Place {
        self.place.as_ref().expect("this test asked for the embedded stack")
    }

    /// Breaks its wire: see the stack's `faults.rs` for the rules.
    pub(crate) async fn faults(&self, rules: serde_json::Value) {
        Lab::get().faults(&self.place().name, rules).await;
    }

    /// Has frames of its realtime service go wrong: see the stack's `realtime/faults.rs` for the rules.
    pub(crate) async fn frames(&self, rules: serde_json::Value) {
        Lab::get().frames(&self.place().name, rules).await;
    }

    /// What answers its functions, by their names.
    pub(crate) async fn functions(&self, functions: serde_json::Value) {
        Lab::get().functions(&self.place().name, functions).await;
    }

    /// Does something to everybody who is connected to its realtime service.
    pub(crate) async fn realtime(&self, command: serde_json::Value) {
        Lab::get().realtime(&self.place().name, command).await;
    }

    /// Waits until the wire has broken once.
    pub(crate) async fn wait_for_fault(&self) {
        Lab::get().fired(&self.place().name).await;
    }

    /// An app's client, with nobody signed in.
    pub(crate) fn anonymous(&self) -> Client {
        Client::builder(&self.url, &self.publishable_key).build().unwrap()
    }

    /// A client with the secret key.
    pub(crate) fn secret(&self) -> Client {
        Client::builder(&self.url, &self.secret_key).build().unwrap()
    }

    /// Somebody new, signed in. Their address is theirs alone, so tests can share a project.
    pub(crate) async fn person(&self, name: &str) -> Person {
        let email = format!("{name}-{}@garage.test", Uuid::new_v4().simple());
        let password = format!("pw-{}", Uuid::new_v4().simple());
        let new = NewUser {
            email: Some(email.clone()),
            password: Some(password.clone()),
            email_confirm: true,
            ..NewUser::default()
        };
        let made = self.secret().auth().admin().create_user(&new).await.unwrap();
        self.people.lock().unwrap().push(made.id);
        let client = self.anonymous();
        watch::plant(&password);
        let session = client.auth().sign_in_with_password(&email, &password).await.unwrap();
        watch::plant(session.access_token.expose());
        watch::plant(session.refresh_token.expose());
        Person { client, email, password, id: session.user.id }
    }

    /// A connection to its database, as `psql` has it.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        let url = self.db_url.as_deref().expect("the project's database address");
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// How many rows a table holds for everybody, counted in the database itself.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.database()
            .await
            .query_one(&format!("select count(*) from public.{table}"), &[])
            .await
            .unwrap()
            .get(0)
    }
}

/// A test that ended, well or badly, gives back what it was given: the whole project, or, where that is
/// not ours to remove, the people it made, whose rows go with them.
impl Drop for Project {
    fn drop(&mut self) {
        let (place, people, secret) = (self.place.take(), std::mem::take(&mut self.people), self.secret());
        let giving_back = async move {
            match place {
                Some(place) => Lab::get().remove(&place.name).await,
                None => {
                    for person in people.into_inner().unwrap() {
                        secret.auth().admin().delete_user(person).await.unwrap();
                    }
                }
            }
        };
        // The test's own runtime may be stopping.
        let thread = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(giving_back);
        });
        thread.join().ok();
    }
}
