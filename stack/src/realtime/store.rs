//! The only file of the realtime service that speaks SQL.
//!
//! What somebody may is tried as their role, with their claims, and taken back: every transaction here ends
//! undone. A question that fails in the middle (a policy that divides by zero) is a no to that question.

use std::{collections::HashMap, str::FromStr, sync::Arc, time::Duration};

use anyhow::Context as _;
use serde_json::Value;
use sqlx::{
    Acquire as _, AssertSqlSafe, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    types::Json,
};
use uuid::Uuid;

use super::{
    change::{Change, Fact, Facts, Operation, Row},
    filter::{Filter, LONGEST_LIST, Operator},
    hub::Listener,
    subscription::Subscription,
    token::Token,
};

/// A question is short, and few ask at once.
const CONNECTIONS: u32 = 2;
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection is kept that nobody uses: a lab has many projects that are done.
const IDLE: Duration = Duration::from_secs(10);
/// How soon it is looked again whether a commit is through.
const MOMENT: Duration = Duration::from_millis(1);
const PUBLICATION: &str = "supabase_realtime";
const NOT_ALLOWED: &str = "42501";

/// The database of one project, as the realtime service sees it.
#[derive(Debug, Clone)]
pub(super) struct Store(PgPool);

/// What the policies of a private topic allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) broadcast: bool,
    pub(super) presence: bool,
}

/// A broadcast the database keeps.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Stored {
    pub(super) id: Uuid,
    pub(super) event: Option<String>,
    pub(super) payload: Option<Value>,
}

/// A transaction whose changes are sent on, and what is known of it.
#[derive(Debug, Default)]
pub(super) struct Known {
    xid: u32,
    is_visible: bool,
    /// The table of the last change, as it was at the first one of it: there are many in a row.
    table: Option<(u32, Vec<String>, Arc<Facts>)>,
}

impl Known {
    pub(super) fn of(xid: u32) -> Self {
        Self { xid, ..Self::default() }
    }
}

/// What the database says to a change.
#[derive(Debug)]
pub(super) struct Assessment {
    pub(super) facts: Arc<Facts>,
    pub(super) new: Row,
    pub(super) old: Row,
    /// The roles that were asked about, in the order of `facts`.
    pub(super) roles: Vec<String>,
    /// For each listener, the subscriptions that see the row, by their place.
    pub(super) seen: Vec<Vec<usize>>,
}

impl Store {
    /// Opens nothing yet: a project that nobody listens to costs no connection.
    pub(super) fn new(admin_url: &str) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(admin_url)
            .context("the address of the database can not be read")?
            .options([("search_path", "")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .connect_lazy_with(options);
        Ok(Self(pool))
    }

    /// What somebody may read of a private topic.
    pub(super) async fn may_read(&self, token: &Token, topic: &str) -> sqlx::Result<Access> {
        let mut tx = self.0.begin().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "insert into realtime.messages (topic, extension)
             values ($1, 'broadcast'), ($1, 'presence') returning id",
        )
        .bind(topic)
        .fetch_all(&mut *tx)
        .await?;
        if !become_caller(&mut tx, &token.role, &token.claims, topic).await? {
            return Ok(Access { broadcast: false, presence: false });
        }
        let seen: Vec<String> =
            sqlx::query_scalar("select extension from realtime.messages where topic = $1 and id = any($2)")
                .bind(topic)
                .bind(&ids)
                .fetch_all(&mut *tx)
                .await?;
        tx.rollback().await?;
        let has = |extension: &str| seen.iter().any(|seen| seen == extension);
        Ok(Access { broadcast: has("broadcast"), presence: has("presence") })
    }

    /// What somebody may write to a private topic.
    pub(super) async fn may_write(&self, token: &Token, topic: &str) -> sqlx::Result<Access> {
        let mut tx = self.0.begin().await?;
        if !become_caller(&mut tx, &token.role, &token.claims, topic).await? {
            return Ok(Access { broadcast: false, presence: false });
        }
        let access = Access {
            broadcast: may_insert(&mut tx, topic, "broadcast").await?,
            presence: may_insert(&mut tx, topic, "presence").await?,
        };
        tx.rollback().await?;
        Ok(access)
    }

    /// The newest broadcasts of a private topic since then (Unix milliseconds), the oldest first.
    pub(super) async fn replay(&self, topic: &str, since: i64, limit: i64) -> sqlx::Result<Vec<Stored>> {
        let mut found: Vec<Stored> = sqlx::query_as(
            "select id, event, payload from realtime.messages
             where topic = $1 and private and extension = 'broadcast'
                and inserted_at >= to_timestamp($2 / 1000.0) at time zone 'utc'
             order by inserted_at desc limit $3",
        )
        .bind(topic)
        .bind(since)
        .bind(limit)
        .fetch_all(&self.0)
        .await?;
        found.reverse();
        Ok(found)
    }

    /// Whether these wishes can be met; if not, what the client is told.
    pub(super) async fn check(
        &self,
        token: &Token,
        subscriptions: &[Subscription],
    ) -> sqlx::Result<Result<(), String>> {
        let mut tx = self.0.begin().await?;
        let published: Vec<(i64, String, String)> = sqlx::query_as(
            "select format('%I.%I', schemaname, tablename)::regclass::oid::int8, schemaname::text, tablename::text
             from pg_publication_tables where pubname = $1",
        )
        .bind(PUBLICATION)
        .fetch_all(&mut *tx)
        .await?;
        let roles = [token.role.clone()];
        for subscription in subscriptions {
            let refused = "Unable to subscribe to changes with given parameters.";
            let about = published.iter().filter(|(_, schema, table)| subscription.is_about(schema, table));
            let tables: Vec<i64> = about.map(|(table, ..)| *table).collect();
            if tables.is_empty() {
                let wish = subscription.describe();
                let advice = "Please check Realtime is enabled for the given connect parameters";
                return Ok(Err(format!("{refused} {advice}: {wish}")));
            }
            for table in tables {
                let Some(facts) = facts(&mut tx, table, &roles).await? else { continue };
                if let Err(reason) = fits(&mut tx, subscription, &facts).await? {
                    let wish = subscription.describe();
                    let advice = "An exception happened so please check your connect parameters";
                    return Ok(Err(format!("{refused} {advice}: {wish}. Exception: {reason}")));
                }
            }
        }
        tx.rollback().await?;
        Ok(Ok(()))
    }

    /// Turns a change into JSON, and asks who of these sees it; `None` if the table is gone.
    pub(super) async fn assess(
        &self,
        change: &Change,
        listeners: &[Listener],
        known: &mut Known,
    ) -> sqlx::Result<Option<Assessment>> {
        if !known.is_visible {
            self.wait_for(known.xid).await?;
            known.is_visible = true;
        }
        let mut roles: Vec<_> = listeners.iter().map(|listener| listener.role.clone()).collect();
        roles.sort();
        roles.dedup();
        let mut tx = self.0.begin().await?;
        let table = change.relation.oid;
        let facts = match &known.table {
            Some((oid, asked, facts)) if *oid == table && *asked == roles => facts.clone(),
            Some(_) | None => match facts(&mut tx, i64::from(table), &roles).await? {
                Some(facts) => Arc::new(facts),
                None => return Ok(None),
            },
        };
        known.table = Some((table, roles.clone(), facts.clone()));
        let (new, old) = to_json(&mut tx, change, &facts).await?;
        let mut seen = Vec::with_capacity(listeners.len());
        // Somebody's channels are many and see the same.
        let mut answers: HashMap<(&str, &str), bool> = HashMap::new();
        for listener in listeners {
            let mut wanted = vec![];
            for (at, subscription) in listener.subscriptions.iter().enumerate() {
                if subscription.wants(change)
                    && all_hold(&mut tx, &subscription.filters, change, &facts).await?
                {
                    wanted.push(at);
                }
            }
            let asks = facts.is_guarded && change.operation != Operation::Delete && !wanted.is_empty();
            if asks {
                let caller = (listener.role.as_str(), listener.claims.as_str());
                let sees = match answers.get(&caller) {
                    Some(known) => *known,
                    None => sees(&mut tx, listener, change, &facts).await?,
                };
                answers.insert(caller, sees);
                if !sees {
                    wanted.clear();
                }
            }
            seen.push(wanted);
        }
        tx.rollback().await?;
        Ok(Some(Assessment { facts, new, old, roles, seen }))
    }

    /// Waits until others see what a transaction did: the log tells of its commit a moment earlier, and whoever
    /// was asked then would not see the row.
    async fn wait_for(&self, xid: u32) -> sqlx::Result<()> {
        let seen = async {
            loop {
                let snapshot: String =
                    sqlx::query_scalar("select pg_current_snapshot()::text").fetch_one(&self.0).await?;
                if is_visible(xid, &snapshot) {
                    return Ok(());
                }
                tokio::time::sleep(MOMENT).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Those of these publications that there are: a stream of one that is missing ends at the first change.
    pub(super) async fn publications(&self, wanted: &[&str]) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar("select pubname::text from pg_publication where pubname = any($1)")
            .bind(wanted)
            .fetch_all(&self.0)
            .await
    }

    /// Ends whoever still streams changes from this database, and waits for it: a database with a live
    /// stream can not be dropped.
    pub(super) async fn end_streams(&self) -> sqlx::Result<()> {
        sqlx::query(
            "select pg_terminate_backend(active_pid, 5000) from pg_replication_slots
             where database = current_database() and active_pid is not null",
        )
        .execute(&self.0)
        .await?;
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

/// True if a committed transaction is one that a snapshot shows: it is before the snapshot's end and not among
/// those that ran then. A snapshot is `xmin:xmax:running,…`, its numbers count on where a transaction's 32 bits
/// begin anew.
fn is_visible(xid: u32, snapshot: &str) -> bool {
    let mut parts = snapshot.split(':').skip(1);
    // What counts is which comes first, and numbers that far apart do not live at one time.
    #[allow(clippy::cast_possible_truncation, reason = "the log has no more than these bits")]
    let number = |text: &str| text.parse::<u64>().ok().map(|number| number as u32);
    let Some(end) = parts.next().and_then(number) else { return false };
    let mut running = parts.next().unwrap_or_default().split(',').filter_map(number);
    xid.wrapping_sub(end).cast_signed() < 0 && !running.any(|other| other == xid)
}

type Tx<'t> = Transaction<'t, Postgres>;

/// Goes on with the rights of somebody: of the roles a request may run as, and no other.
async fn become_caller(tx: &mut Tx<'_>, role: &str, claims: &str, topic: &str) -> sqlx::Result<bool> {
    let became = sqlx::query(
        "select set_config('request.jwt.claims', $2, true),
            set_config('request.jwt.claim.sub', coalesce($2::text::jsonb ->> 'sub', ''), true),
            set_config('request.jwt.claim.role', $1, true),
            set_config('request.headers', '{}', true),
            set_config('realtime.topic', $3, true),
            set_config('search_path', 'public, extensions', true),
            set_config('role', rolname, true)
         from pg_roles where rolname = $1 and pg_has_role('authenticator', oid, 'member')",
    )
    .bind(role)
    .bind(claims)
    .bind(topic)
    .fetch_optional(&mut **tx)
    .await?;
    Ok(became.is_some())
}

async fn may_insert(tx: &mut Tx<'_>, topic: &str, extension: &str) -> sqlx::Result<bool> {
    let mut attempt = tx.begin().await?;
    let done = sqlx::query("insert into realtime.messages (topic, extension) values ($1, $2)")
        .bind(topic)
        .bind(extension)
        .execute(&mut *attempt)
        .await;
    attempt.rollback().await?;
    match done {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(NOT_ALLOWED) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A table as it is now, and what each role may read of it.
async fn facts(tx: &mut Tx<'_>, table: i64, roles: &[String]) -> sqlx::Result<Option<Facts>> {
    let found: Option<(bool, String)> = sqlx::query_as(
        "select relrowsecurity, format('%I.%I', nspname, relname)
         from pg_class join pg_namespace on pg_namespace.oid = relnamespace where pg_class.oid = $1::oid",
    )
    .bind(table)
    .fetch_optional(&mut **tx)
    .await?;
    let Some((is_guarded, name)) = found else { return Ok(None) };
    let rows: Vec<(String, String, String, String, bool, Vec<bool>)> = sqlx::query_as(
        "select attname::text, quote_ident(attname), typname::text, format_type(atttypid, atttypmod),
            coalesce(attnum = any(indkey), false),
            array(
                select case when exists (select from pg_roles where rolname = role)
                    then has_column_privilege(role, attrelid, attnum, 'select') else false end
                from unnest($2::text[]) with ordinality as asked (role, place) order by place
            )
         from pg_attribute
            join pg_type on pg_type.oid = atttypid
            left join pg_index on indrelid = attrelid and indisprimary
         where attrelid = $1::oid and attnum > 0 and not attisdropped order by attnum",
    )
    .bind(table)
    .bind(roles)
    .fetch_all(&mut **tx)
    .await?;
    let fact = |(name, identifier, type_name, sql_type, is_key, readable)| Fact {
        name,
        identifier,
        type_name,
        sql_type,
        is_key,
        readable,
    };
    Ok(Some(Facts { is_guarded, name, columns: rows.into_iter().map(fact).collect() }))
}

/// The values as JSON, in the words of PostgreSQL: it knows every type there is.
async fn to_json(tx: &mut Tx<'_>, change: &Change, facts: &Facts) -> sqlx::Result<(Row, Row)> {
    let columns = &change.relation.columns;
    let (mut parts, mut values, mut places) = (vec![], vec![], vec![]);
    for (which, row) in [&change.new, &change.old].into_iter().enumerate() {
        for (at, (column, cell)) in columns.iter().zip(row).enumerate() {
            // A column that was dropped or renamed since is not shown under a name it no longer has.
            let (Some(value), Some(fact)) = (cell.said(), facts.column(&column.name)) else { continue };
            values.push(value);
            places.push((which, at));
            parts.push(format!("to_jsonb(${}::text::{})", values.len(), fact.sql_type));
        }
    }
    let sql = AssertSqlSafe(format!("select array[{}]::jsonb[]", parts.join(", ")));
    let mut query = sqlx::query_scalar::<_, Vec<Option<Json<Value>>>>(sql);
    for value in values {
        query = query.bind(value);
    }
    let read = query.fetch_one(&mut **tx).await?;
    let mut rows = [vec![None; change.new.len()], vec![None; change.old.len()]];
    for ((which, at), value) in places.into_iter().zip(read) {
        rows[which][at] = Some(value.map_or(Value::Null, |Json(value)| value));
    }
    let [new, old] = rows;
    Ok((new, old))
}

/// True if every filter holds.
async fn all_hold(tx: &mut Tx<'_>, filters: &[Filter], change: &Change, facts: &Facts) -> sqlx::Result<bool> {
    if filters.is_empty() {
        return Ok(true);
    }
    let (mut conditions, mut values) = (vec![], vec![]);
    for filter in filters {
        let (Some(value), Some(fact)) = (change.value(&filter.column), facts.column(&filter.column)) else {
            return Ok(false);
        };
        values.extend([value, Some(filter.value.as_str())]);
        conditions.push(filter.sql(&fact.sql_type, values.len() - 1, values.len()));
    }
    let sql = format!("select coalesce({}, false)", conditions.join(" and "));
    let mut attempt = tx.begin().await?;
    let hold = answer(&mut attempt, sql, &values).await;
    attempt.rollback().await?;
    hold
}

/// True if somebody sees the row with this key.
async fn sees(tx: &mut Tx<'_>, listener: &Listener, change: &Change, facts: &Facts) -> sqlx::Result<bool> {
    let (mut conditions, mut values) = (vec![], vec![]);
    for key in facts.columns.iter().filter(|column| column.is_key) {
        let Some(value) = change.value(&key.name) else { return Ok(false) };
        values.push(value);
        conditions.push(format!("{} = ${}::text::{}", key.identifier, values.len(), key.sql_type));
    }
    if conditions.is_empty() {
        return Ok(false);
    }
    let sql = format!("select exists (select from {} where {})", facts.name, conditions.join(" and "));
    let mut attempt = tx.begin().await?;
    let became = become_caller(&mut attempt, &listener.role, &listener.claims, "").await?;
    let sees = if became { answer(&mut attempt, sql, &values).await } else { Ok(false) };
    attempt.rollback().await?;
    sees
}

/// A question with a yes or a no; one that fails is a no, and nothing more can be asked in this attempt.
async fn answer(attempt: &mut Tx<'_>, sql: String, values: &[Option<&str>]) -> sqlx::Result<bool> {
    let mut query = sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql));
    for value in values {
        query = query.bind(*value);
    }
    match query.fetch_one(&mut **attempt).await {
        Err(sqlx::Error::Database(_)) => Ok(false),
        answer => answer,
    }
}

/// Whether a table has what is wished for, of the types it takes.
async fn fits(
    tx: &mut Tx<'_>,
    subscription: &Subscription,
    facts: &Facts,
) -> sqlx::Result<Result<(), String>> {
    for filter in &subscription.filters {
        let Some(fact) = facts.readable(&filter.column) else {
            return Ok(Err(format!(
                "ERROR P0001 (raise_exception) invalid column for filter {}",
                filter.column
            )));
        };
        if let Some(objection) = filter.objection(&fact.sql_type) {
            return Ok(Err(format!("ERROR P0001 (raise_exception) {objection}")));
        }
        if let Err(reason) = takes(tx, filter, fact).await? {
            return Ok(Err(reason));
        }
    }
    let strange = subscription.select.iter().flatten().find(|name| facts.readable(name).is_none());
    Ok(strange.map_or(Ok(()), |name| {
        Err(format!("ERROR P0001 (raise_exception) invalid column for select {name}"))
    }))
}

/// Whether a column takes a filter: the database is asked with a row that has nothing there.
async fn takes(tx: &mut Tx<'_>, filter: &Filter, fact: &Fact) -> sqlx::Result<Result<(), String>> {
    let mut attempt = tx.begin().await?;
    let column_type = &fact.sql_type;
    let extra = match filter.operator {
        Operator::In => format!("coalesce(array_length($2::text::{column_type}[], 1), 0)"),
        Operator::Match | Operator::Imatch => "('' ~ $2::text)::int".to_owned(),
        Operator::Like | Operator::Ilike | Operator::Is => "0".to_owned(),
        Operator::Eq
        | Operator::Neq
        | Operator::Lt
        | Operator::Lte
        | Operator::Gt
        | Operator::Gte
        | Operator::IsDistinct => format!("($2::text::{column_type} is null)::int"),
    };
    // The comparison with nothing is read, and need not be done: what could fail in it is done apart.
    let sql = format!("select {extra} from (select {}) as asked", filter.sql(column_type, 1, 2));
    let answer = sqlx::query_scalar::<_, i32>(AssertSqlSafe(sql))
        .bind(None::<&str>)
        .bind(&filter.value)
        .fetch_one(&mut *attempt)
        .await;
    attempt.rollback().await?;
    match answer {
        Ok(length) if filter.operator == Operator::In && length > LONGEST_LIST => Ok(Err(format!(
            "ERROR P0001 (raise_exception) too many values for `in` filter. Maximum {LONGEST_LIST}"
        ))),
        Ok(_) => Ok(Ok(())),
        Err(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default();
            Ok(Err(format!("ERROR {code} {}", error.message())))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_seen_once_it_no_longer_runs() {
        assert!(is_visible(99, "100:100:"));
        assert!(!is_visible(100, "100:100:"), "it is after the end");
        assert!(is_visible(100, "99:102:99,101"));
        assert!(!is_visible(101, "99:102:99,101"), "it still runs");
        assert!(is_visible(u32::MAX, "4294967298:4294967300:4294967299"), "numbers began anew since");
        assert!(!is_visible(3, "4294967298:4294967300:4294967299"));
        assert!(!is_visible(3, "strange"));
    }
}
