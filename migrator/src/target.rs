//! Edge: where to, and by whose authority we write.
//!
//! A person's session is bound by the project's policies; a secret key passes them, so who uses one is
//! told. Everything asked here may be asked twice with the same end: rows are found by the ids we
//! computed, and written by upsert. So a lost answer is simply asked for again.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use supabase_sdk::auth::NewUser;
use supabase_sdk::rest::{Rows, col};
use supabase_sdk::{Client, Error, ErrorKind, Retry};
use uuid::Uuid;

use crate::exit::{self, Failure};
use crate::plan::TablePlan;

/// How many ids one question holds: 100 of them are 4 kB of address, which every gateway takes.
const IDS_A_QUESTION: usize = 100;

/// How many rows one question asks for, where they lie side by side: no server gives more by default.
const ROWS_A_QUESTION: usize = 1_000;

/// How many questions wait for their answers at a time.
pub(crate) const AT_ONCE: usize = 4;

/// How often something is asked that gets no answer: for about four seconds.
const RETRY: Retry = Retry { tries: 5, first: Duration::from_millis(250), longest: Duration::from_secs(30) };

#[derive(Deserialize)]
struct Id {
    id: Uuid,
}

/// What opens a project.
pub struct Access {
    /// The project's address.
    pub url: String,
    /// Its key, publishable or secret.
    pub key: String,
    /// What lets us write.
    pub grant: Grant,
}

/// What lets us write.
pub enum Grant {
    /// The owner's password: the owner writes.
    Password(String),
    /// The key itself, which is a secret one.
    SecretKey {
        /// The password an account gets that has to be made.
        new_password: Option<String>,
    },
}

/// Without the key and the password.
impl fmt::Debug for Access {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Access").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Without the password.
impl fmt::Debug for Grant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Password(_) => "Password(hidden)",
            Self::SecretKey { .. } => "SecretKey",
        })
    }
}

impl Access {
    /// A client for the project.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Client::builder(&self.url, &self.key).retry(RETRY).build().map_err(failure)
    }
}

/// A project we may write to.
#[derive(Debug)]
pub struct Target {
    client: Client,
    owner: Owner,
    authority: Authority,
}

/// Whose rows we write.
enum Owner {
    Known(Uuid),
    /// Somebody whose account is made when it is needed.
    ToBeMade(Box<NewUser>),
}

impl fmt::Debug for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(id) => write!(out, "Known({id})"),
            Self::ToBeMade(_) => out.write_str("ToBeMade"),
        }
    }
}

/// By whose authority we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// The owner's: policies hold.
    Owner,
    /// The secret key's: policies are passed.
    SecretKey,
    /// That of a role of the database.
    Database,
}

/// What to do about an owner the project does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownOwner {
    /// Stop.
    Refuse,
    /// Make an account for them, when the first row is written and not before.
    Create,
}

/// How the owner of a new account gets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewPassword {
    /// With the password we were given for them.
    Given,
    /// They ask for a new password first.
    None,
}

impl Target {
    /// Opens a project for an owner, named by e-mail address.
    ///
    /// # Errors
    /// Exit code 2 for an address or key that cannot be, 6 when nobody answers, 7 when the key, the
    /// password or the owner is unknown.
    pub async fn open(access: Access, email: &str, unknown: UnknownOwner) -> Result<Self, Failure> {
        let client = access.client()?;
        let (owner, authority) = match access.grant {
            Grant::SecretKey { new_password } => {
                (find_owner(&client, email, unknown, new_password).await?, Authority::SecretKey)
            }
            Grant::Password(password) => {
                let session = client.auth().sign_in_with_password(email, &password).await.map_err(failure)?;
                (Owner::Known(session.user.id), Authority::Owner)
            }
        };
        Ok(Self { client, owner, authority })
    }

    /// Makes the owner's account, if they have none; gives the target in their name.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn with_new_owner(&self) -> Result<Option<(Self, NewPassword)>, Failure> {
        let Owner::ToBeMade(user) = &self.owner else { return Ok(None) };
        let admin = self.client.auth().admin();
        let made = match admin.create_user(user).await {
            // Another run was faster.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                admin.user_by_email(user.email.as_deref().unwrap_or_default()).await.map_err(failure)?
            }
            made => Some(made.map_err(|error| {
                failure(error).help("check --owner: the project does not take this address or password")
            })?),
        };
        let Some(made) = made else { return Err(owner_unknown()) };
        let password = if user.password.is_some() { NewPassword::Given } else { NewPassword::None };
        let target =
            Self { client: self.client.clone(), owner: Owner::Known(made.id), authority: self.authority };
        Ok(Some((target, password)))
    }

    /// Whose rows we write; nobody's yet, if their account is still to be made.
    pub fn owner(&self) -> Uuid {
        match self.owner {
            Owner::Known(id) => id,
            Owner::ToBeMade(_) => Uuid::nil(),
        }
    }

    /// By whose authority.
    pub fn authority(&self) -> Authority {
        self.authority
    }

    /// The project's address.
    pub fn url(&self) -> &str {
        self.client.url()
    }

    /// The project, for questions of one's own.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Asks whether a table is there with every column we would write, and whether we may read it.
    ///
    /// # Errors
    /// Exit code 7, naming the table and the columns, when not.
    pub async fn check(&self, table: &TablePlan) -> Result<(), Failure> {
        let owner = table.owner.iter().map(|(column, _)| column.as_str());
        let columns = table.columns.iter().map(|column| column.name.as_str());
        let all: Vec<&str> = std::iter::once("id").chain(owner).chain(columns).collect();
        let Err(error) = self.look(table, &all.join(",")).await else { return Ok(()) };
        let mut missing = Vec::new();
        if is_about_a_column(&error) {
            // Servers do not all name the column, and none names more than one.
            for column in &table.columns {
                match self.look(table, &column.name).await {
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
    async fn look(&self, table: &TablePlan, columns: &str) -> Result<(), Error> {
        self.client.from(&table.name).select(columns).limit(0).fetch().await.map(drop)
    }

    /// Those of these rows that are there, each as one document with all of its columns.
    ///
    /// # Errors
    /// Exit code 6 when nobody answers, 7 when the table refuses.
    pub async fn images(&self, table: &str, ids: &[Uuid]) -> Result<HashMap<Uuid, Box<RawValue>>, Failure> {
        let mut images = HashMap::with_capacity(ids.len());
        let take = |id, image| {
            images.insert(id, image);
            Ok(())
        };
        self.each(table, ids, drop, take).await?;
        Ok(images)
    }

    /// The same, one after the other as they come, while the server is busy with the next. `asked` hears how
    /// many more were asked for.
    ///
    /// # Errors
    /// As [`Self::images`], and what `take` fails with.
    pub(crate) async fn each(
        &self,
        table: &str,
        ids: &[Uuid],
        mut asked: impl FnMut(usize),
        mut take: impl FnMut(Uuid, Box<RawValue>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let ids: Vec<Uuid> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let crowd = AtomicBool::new(false);
        let stretches = ids.chunks(ROWS_A_QUESTION).map(|stretch| self.stretch(table, stretch, &crowd));
        let mut answers = futures_util::stream::iter(stretches).buffer_unordered(AT_ONCE);
        while let Some((there, count)) = answers.try_next().await? {
            there.into_iter().try_for_each(|(id, image)| take(id, image))?;
            asked(count);
        }
        Ok(())
    }

    /// The rows of some ids in order, and how many ids those were. A stretch of keys is one question, and
    /// answered with whatever rows lie there; where most are not ours it is given up, and the rows are asked
    /// for by name.
    async fn stretch(
        &self,
        table: &str,
        ids: &[Uuid],
        crowd: &AtomicBool,
    ) -> Result<(Vec<(Uuid, Box<RawValue>)>, usize), Failure> {
        let (mut found, mut rest) = (Vec::new(), ids);
        while let [first, .., last] = rest
            && rest.len() > IDS_A_QUESTION
            && !crowd.load(Ordering::Relaxed)
        {
            let between = self.client.from(table).select("*");
            let between = between.filter(col("id").gte(*first)).filter(col("id").lte(*last));
            let there = between.order(col("id").asc()).limit(rest.len()).typed().fetch().await;
            let there = identified(table, there)?;
            // The server may have a limit of its own: what is after the last row of the answer is still open.
            let Some((end, _)) = there.last() else { return Ok((found, ids.len())) };
            let open = rest.partition_point(|id| id <= end);
            let count = there.len();
            let ours = there.into_iter().filter(|(id, _)| rest.binary_search(id).is_ok());
            let before = found.len();
            found.extend(ours);
            if (found.len() - before) * 2 < count {
                crowd.store(true, Ordering::Relaxed);
            }
            rest = &rest[open..];
        }
        for named in rest.chunks(IDS_A_QUESTION) {
            let select = self.client.from(table).select("*").filter(col("id").is_in(named.iter().copied()));
            found.extend(identified(table, select.typed().fetch().await)?);
        }
        Ok((found, ids.len()))
    }

    /// True if a table has no row that we can see: then none of ours is there.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn is_empty(&self, table: &TablePlan) -> Result<bool, Failure> {
        let one = self.client.from(&table.name).select("id").limit(1).typed::<Id>().fetch().await;
        Ok(one.map_err(|error| table_failure(&table.name, error))?.is_empty())
    }

    /// Those of these ids that a table has.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn those_there(&self, table: &str, ids: &[Uuid]) -> Result<HashSet<Uuid>, Failure> {
        let mut there = HashSet::new();
        for ids in ids.chunks(IDS_A_QUESTION) {
            let select = self.client.from(table).select("id").filter(col("id").is_in(ids.iter().copied()));
            let found = select.typed::<Id>().fetch().await.map_err(|error| table_failure(table, error))?;
            there.extend(found.into_iter().map(|row| row.id));
        }
        Ok(there)
    }

    /// How many rows lie in these parents and are not in the plan: lines that were taken out of a record, or
    /// renamed, or added here. A table without parents has none.
    ///
    /// # Errors
    /// Exit code 6 or 7.
    pub async fn leftover(&self, table: &TablePlan, parents: &[Uuid]) -> Result<usize, Failure> {
        let column = table.parent.as_ref().and_then(|parent| table.columns.get(parent.cell));
        let Some(column) = column else { return Ok(0) };
        let mut leftover = 0;
        for parents in parents.chunks(IDS_A_QUESTION) {
            let lines = self
                .client
                .from(&table.name)
                .select("id")
                .filter(col(&column.name).is_in(parents.iter().copied()));
            let lines = lines.typed::<Id>().stream_by(col("id")).try_collect::<Vec<_>>().await;
            let lines = lines.map_err(|error| table_failure(&table.name, error))?;
            leftover += lines.iter().filter(|row| !table.plans(row.id)).count();
        }
        Ok(leftover)
    }

    /// Writes rows, all of them or none. Worth another try are only the failures it has tried again already.
    pub async fn upsert(&self, table: &str, columns: &[&str], rows: &[&RawValue]) -> Result<(), Error> {
        let upsert = self.client.from(table).upsert_many(rows).columns(columns).on_conflict(col("id"));
        upsert.send().await.map(drop)
    }
}

/// Rows with their ids.
fn identified(
    table: &str,
    answer: Result<Rows<Box<RawValue>>, Error>,
) -> Result<Vec<(Uuid, Box<RawValue>)>, Failure> {
    let rows = answer.map_err(|error| table_failure(table, error))?;
    let id = |row: Box<RawValue>| match serde_json::from_str(row.get()) {
        Ok(Id { id }) => Ok((id, row)),
        Err(error) => {
            let message = format!("table `{table}`: a row of the answer has no id that is a UUID");
            Err(Failure::new(exit::REFUSED, "target.answer", message)
                .help("apply the migrations of this project to the target, or correct the mapping")
                .because(error))
        }
    };
    rows.into_iter().map(id).collect()
}

/// The person with an e-mail address, by the secret key's authority.
async fn find_owner(
    client: &Client,
    email: &str,
    unknown: UnknownOwner,
    password: Option<String>,
) -> Result<Owner, Failure> {
    let admin = client.auth().admin();
    let found = admin.user_by_email(email).await.map_err(failure)?;
    match (found, unknown) {
        (Some(user), _) => Ok(Owner::Known(user.id)),
        (None, UnknownOwner::Create) => {
            let email = Some(email.to_owned());
            let new = NewUser { email, password, email_confirm: true, ..NewUser::default() };
            Ok(Owner::ToBeMade(Box::new(new)))
        }
        (None, UnknownOwner::Refuse) => Err(owner_unknown()),
    }
}

fn owner_unknown() -> Failure {
    let message = "the project knows nobody with the address that --owner names";
    Failure::new(exit::REFUSED, "target.owner_unknown", message).help(
        "let them sign up first, check the spelling, or pass --create-owner to make an account for them",
    )
}

/// True if the same again would fail the same, and less of it may not: too large for a gateway, too slow
/// for a time limit.
pub(crate) fn is_too_much(error: &Error) -> bool {
    error.code() == Some("57014") || error.status().is_some_and(|status| matches!(status.as_u16(), 413 | 504))
}

/// What a refusal means for the run, where no table is concerned.
pub(crate) fn failure(error: Error) -> Failure {
    let (code, id, help) = match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Busy => (
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
        ErrorKind::Invalid if error.code() == Some("invalid_credentials") => (
            exit::REFUSED,
            "target.password_refused",
            "check --owner and MIGRATOR_PASSWORD; --create-owner needs --local or the project's secret key",
        ),
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
            "apply the migrations of this project to the target, or correct the mapping; if they were applied a moment ago, run again",
        ),
        ErrorKind::Unauthenticated | ErrorKind::Forbidden => (
            "target.forbidden",
            "the table needs a grant and a policy for its owner; see the migrations in supabase/",
        ),
        _ => return failure(error),
    };
    Failure::new(exit::REFUSED, id, format!("table {table}: {error}")).help(help).because(error)
}
