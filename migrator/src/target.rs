//! Edge: where to, and by whose authority we write.
//!
//! A person's session is bound by the project's policies; a secret key passes them, so who uses one is
//! told. Everything asked here may be asked twice with the same end: rows are found by the ids we
//! computed, and written by upsert. So a lost answer is simply asked for again.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use supabase_sdk::auth::NewUser;
use supabase_sdk::{Client, Column, Error, ErrorKind};
use uuid::Uuid;

use crate::diff::Existing;
use crate::exit::{self, Failure};
use crate::plan::{Row, TablePlan};

/// How many ids one question holds: 100 of them are 4 kB of address, which every gateway takes.
const IDS_A_QUESTION: usize = 100;

/// How often something is asked that gets no answer, and how long before the second time; the wait doubles.
const TRIES: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// What opens a project.
pub struct Access {
    /// The project's address.
    pub url: String,
    /// Its key, publishable or secret.
    pub key: String,
    /// The owner's password; with it the owner writes, and not the key.
    pub password: Option<String>,
}

/// Without the key and the password.
impl fmt::Debug for Access {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Access").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A project we may write to.
#[derive(Debug)]
pub struct Target {
    client: Client,
    owner: Uuid,
    authority: Authority,
}

/// By whose authority we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The owner's: policies hold.
    Owner,
    /// The secret key's: policies are passed.
    SecretKey,
}

/// What to do about an owner the project does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownOwner {
    /// Stop.
    Refuse,
    /// Make an account for them, which they enter by a password reset.
    Create,
    /// Go on as if they had one and no rows: for a run that writes nothing.
    Assume,
}

impl Target {
    /// Opens a project for an owner, named by e-mail address.
    ///
    /// # Errors
    /// Exit code 2 for an address or key that cannot be, 6 when nobody answers, 7 when the key, the
    /// password or the owner is unknown.
    pub async fn open(access: Access, owner: &str, unknown: UnknownOwner) -> Result<Self, Failure> {
        let client = Client::builder(access.url, access.key).build().map_err(failure)?;
        let Some(password) = access.password else {
            let owner = find_owner(&client, owner, unknown).await?;
            return Ok(Self { client, owner, authority: Authority::SecretKey });
        };
        let session =
            patiently(|| async { client.auth().sign_in_with_password(owner, &password).await }).await;
        let owner = session.map_err(failure)?.user.id;
        Ok(Self { client, owner, authority: Authority::Owner })
    }

    /// Whose rows we write.
    pub fn owner(&self) -> Uuid {
        self.owner
    }

    /// By whose authority.
    pub fn authority(&self) -> Authority {
        self.authority
    }

    /// The project's address.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// Asks whether a table is there with every column we would write, and whether we may read it.
    ///
    /// # Errors
    /// Exit code 7, naming the table and the columns, when not.
    pub async fn check(&self, table: &TablePlan) -> Result<(), Failure> {
        let Err(error) = self.look(table, table.select_list()).await else { return Ok(()) };
        let mut missing = Vec::new();
        if is_about_a_column(&error) {
            // Servers do not all name the column, and none names more than one.
            for column in &table.columns {
                match self.look(table, column.name.clone()).await {
                    Err(error) if is_about_a_column(&error) => missing.push(column.name.as_str()),
                    Err(_) | Ok(()) => {}
                }
            }
        }
        if missing.is_empty() {
            return Err(table_failure(&table.name, error));
        }
        let message = format!("table {} has no column {}", table.name, missing.join(", "));
        Err(Failure::new(exit::REFUSED, "target.column_missing", message)
            .help("apply the migrations of this project to the target, or correct the mapping")
            .because(error))
    }

    /// Asks for columns of no row.
    async fn look(&self, table: &TablePlan, columns: String) -> Result<(), Error> {
        let ask =
            || self.client.from::<Box<RawValue>>(&table.name).select().columns(&columns).limit(0).fetch();
        patiently(ask).await.map(drop)
    }

    /// Those of these rows that are there, as they are. `asked` hears how many more were asked for.
    ///
    /// # Errors
    /// Exit code 6 when nobody answers, 7 when the table is not as the plan has it.
    pub async fn existing(
        &self,
        table: &TablePlan,
        rows: &[&Row],
        mut asked: impl FnMut(usize),
    ) -> Result<Vec<Existing>, Failure> {
        const ID: Column<Box<RawValue>, Uuid> = Column::new("id");
        let mut existing = Vec::new();
        for rows in rows.chunks(IDS_A_QUESTION) {
            let ask = || {
                let select = self.client.from(&table.name).select().columns(table.select_list());
                select.filter(ID.is_in(rows.iter().map(|row| row.id))).fetch()
            };
            for row in patiently(ask).await.map_err(|error| table_failure(&table.name, error))? {
                existing.push(table.decode(&row)?);
            }
            asked(rows.len());
        }
        Ok(existing)
    }

    /// Writes rows, all of them or none. Worth another try are only the failures it has tried again already.
    pub async fn upsert(&self, table: &str, columns: &[&str], rows: &[&RawValue]) -> Result<(), Error> {
        let ask =
            || self.client.from::<()>(table).upsert_as(rows).columns(columns).on_conflict(&["id"]).send();
        patiently(ask).await
    }
}

/// The id of the person with an e-mail address, by the secret key's authority.
async fn find_owner(client: &Client, email: &str, unknown: UnknownOwner) -> Result<Uuid, Failure> {
    let admin = client.auth().admin();
    if let Some(user) = patiently(|| admin.user_by_email(email)).await.map_err(failure)? {
        return Ok(user.id);
    }
    match unknown {
        UnknownOwner::Create => {
            let user = NewUser { email: email.to_owned(), email_confirm: true, ..NewUser::default() };
            Ok(admin.create_user(&user).await.map_err(failure)?.id)
        }
        UnknownOwner::Assume => Ok(Uuid::nil()),
        UnknownOwner::Refuse => Err(Failure::new(
            exit::REFUSED,
            "target.owner_unknown",
            "the project knows nobody with the address that --owner names",
        )
        .help(
            "let them sign up first, check the spelling, or pass --create-owner to make an account for them",
        )),
    }
}

/// Asks again while there is no answer, waiting longer each time.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
    let mut wait = FIRST_WAIT;
    for _ in 1..TRIES {
        match ask().await {
            Err(error) if error.is_retryable() && !is_too_much(&error) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
        wait *= 2;
    }
    ask().await
}

/// True if the same again would fail the same, and less of it may not: too large for a gateway, too slow
/// for a time limit.
pub(crate) fn is_too_much(error: &Error) -> bool {
    error.code() == Some("57014") || error.status().is_some_and(|status| matches!(status.as_u16(), 413 | 504))
}

/// What a refusal means for the run, where no table is concerned.
pub(crate) fn failure(error: Error) -> Failure {
    let (code, id, help) = match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Busy => (
            exit::UNREACHABLE,
            "target.unreachable",
            "check the address and the network, then run the same command again",
        ),
        ErrorKind::Config => {
            (exit::USAGE, "target.config", "see `migrator import --help` for how a target is named")
        }
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => (
            exit::REFUSED,
            "target.key_refused",
            "check that the key and the password belong to this project",
        ),
        ErrorKind::Invalid if error.code() == Some("invalid_credentials") => {
            (exit::REFUSED, "target.password_refused", "check --owner and MIGRATOR_PASSWORD")
        }
        _ => (exit::REFUSED, "target.refused", "check that the address is that of a Supabase project"),
    };
    Failure::new(code, id, format!("the target: {error}")).help(help).because(error)
}

/// True if a table is there and a column is not.
fn is_about_a_column(error: &Error) -> bool {
    matches!(error.code(), Some("42703" | "PGRST204"))
}

/// What a refusal means for the run, where a table is concerned.
pub(crate) fn table_failure(table: &str, error: Error) -> Failure {
    let (id, help) = match error.kind() {
        ErrorKind::NotFound => (
            "target.table_missing",
            "apply the migrations of this project to the target, or correct the mapping",
        ),
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => (
            "target.forbidden",
            "the table needs a grant and a policy for its owner; see the migrations in supabase/",
        ),
        _ => return failure(error),
    };
    Failure::new(exit::REFUSED, id, format!("table {table}: {error}")).help(help).because(error)
}
