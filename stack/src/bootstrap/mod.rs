//! The bootstrap: what a hosted project has before its first migration.
//!
//! Roles, schemas, the auth functions and tables, storage and realtime tables, and the
//! rights between them. It goes into a database once, in one transaction, and leaves a
//! mark that tells which edition it was. Roles belong to the whole cluster: the second
//! database finds them there.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::auth;
use crate::postgres::{Role, Server, ServerError};

const ROLES: &str = include_str!("roles.sql");
const DATABASE: &str = include_str!("database.sql");

/// What [`install`] found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// Nothing was there, everything is now.
    Fresh,
    /// It was all there.
    Before,
    /// Another edition of supabase-stack installed it: what is new in this one is missing.
    OtherEdition,
}

/// Installs the bootstrap in a database that does not have it yet.
pub async fn install(server: &Server, database: &str) -> Result<Installed, ServerError> {
    let run = async {
        let mut connection = PgConnection::connect(&server.url(Role::Admin, database)).await?;
        let installed = install_once(&mut connection, server).await?;
        connection.close().await?;
        Ok(installed)
    };
    run.await
        .map_err(|source| ServerError::Sql { doing: format!("install the bootstrap in {database}"), source })
}

async fn install_once(connection: &mut PgConnection, server: &Server) -> Result<Installed, sqlx::Error> {
    let edition = edition(connection).await?;
    if let Some(mark) = mark(connection).await? {
        return Ok(if mark == edition { Installed::Before } else { Installed::OtherEdition });
    }
    let mut transaction = connection.begin().await?;
    let mark = format!("comment on schema auth is '{edition}'");
    for part in [ROLES, &logins(server), DATABASE, auth::SCHEMA, &mark] {
        transaction.execute(sqlx::raw_sql(AssertSqlSafe(part.to_owned()))).await?;
    }
    transaction.commit().await?;
    Ok(Installed::Fresh)
}

/// The edition that was installed here, if one was.
async fn mark(connection: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select obj_description(to_regnamespace('auth')::oid, 'pg_namespace')")
        .fetch_one(connection)
        .await
}

/// This edition: any change of the SQL makes another one.
async fn edition(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("select 'supabase-stack ' || md5($1)")
        .bind([ROLES, DATABASE, auth::SCHEMA].concat())
        .fetch_one(connection)
        .await
}

/// Lets the roles in that have a password; the superuser's was set when the cluster was made.
fn logins(server: &Server) -> String {
    let passwords = server.passwords();
    format!(
        "alter role postgres password '{}'; alter role authenticator password '{}';",
        passwords.postgres, passwords.authenticator
    )
}
