//! The only file of the auth service that speaks SQL, with those in its folder: codes and flows in
//! `codes`, second factors in `factors`, what has to do with providers in `providers`, passkeys in
//! `keys`, applications and what they may see in `clients`.
//!
//! Connections are the superuser's, acting from the first moment as `supabase_auth_admin`: what
//! a trigger on these tables may do is what it may do hosted. One request is one transaction.
//! Whoever locks somebody may then lock their sessions, and never the other way round.

mod clients;
mod codes;
mod factors;
mod keys;
mod providers;

use std::{str::FromStr, time::Duration};

use anyhow::Context as _;
use sqlx::{
    PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    types::Json,
};
use uuid::Uuid;

use super::{
    contact::Contact,
    moment::Moment,
    session::{Proof, RefreshToken, Session},
    user::{Identity, Profile, User},
};

/// Thirty projects at once have to fit into one server's connections.
const CONNECTIONS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection is kept that nobody uses: a lab has many projects that are done.
const IDLE: Duration = Duration::from_secs(10);

macro_rules! user_columns {
    () => {
        "id, coalesce(aud, '') as aud, coalesce(role, '') as role, nullif(email, '') as email,
         encrypted_password, email_confirmed_at, invited_at, nullif(phone, '') as phone,
         phone_confirmed_at, confirmation_sent_at, recovery_sent_at,
         nullif(email_change, '') as email_change, email_change_sent_at,
         coalesce(email_change_confirm_status, 0::smallint) as email_change_confirm_status,
         nullif(phone_change, '') as phone_change, phone_change_sent_at, reauthentication_sent_at,
         last_sign_in_at, coalesce(raw_app_meta_data, '{}') as app_metadata,
         coalesce(raw_user_meta_data, '{}') as user_metadata,
         coalesce(created_at, 'epoch') as created_at, coalesce(updated_at, 'epoch') as updated_at,
         banned_until, deleted_at, is_anonymous"
    };
}

macro_rules! token_columns {
    () => {
        "id, token, nullif(parent, '') as parent, coalesce(revoked, false) as revoked,
         coalesce(updated_at, 'epoch') as updated_at, session_id"
    };
}

/// The database of one project, as the auth service sees it.
#[derive(Debug, Clone)]
pub(super) struct Store(PgPool);

/// One request's transaction: what is not committed did not happen.
pub(super) struct Tx(Transaction<'static, Postgres>);

impl Store {
    pub(super) async fn open(admin_url: &str) -> anyhow::Result<Self> {
        let options = PgConnectOptions::from_str(admin_url)?
            .options([("role", "supabase_auth_admin"), ("search_path", "auth")]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .idle_timeout(IDLE)
            .connect_with(options)
            .await
            .context("the auth service can not reach its database")?;
        Ok(Self(pool))
    }

    pub(super) async fn begin(&self) -> sqlx::Result<Tx> {
        Ok(Tx(self.0.begin().await?))
    }

    pub(super) async fn close(&self) {
        self.0.close().await;
    }
}

impl Tx {
    pub(super) async fn commit(self) -> sqlx::Result<()> {
        self.0.commit().await
    }

    pub(super) async fn user(&mut self, id: Uuid) -> sqlx::Result<Option<User>> {
        let sql = concat!("select ", user_columns!(), " from auth.users where id = $1");
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    /// Somebody who is about to be changed: until the end nobody else changes them.
    pub(super) async fn user_to_change(&mut self, id: Uuid) -> sqlx::Result<Option<User>> {
        let sql = concat!("select ", user_columns!(), " from auth.users where id = $1 for no key update");
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    /// Whoever has this address or number.
    pub(super) async fn user_at(&mut self, contact: &Contact) -> sqlx::Result<Option<User>> {
        let sql = match contact {
            Contact::Email(_) => concat!(
                "select ",
                user_columns!(),
                " from auth.users where lower(email) = lower($1) and not is_sso_user"
            ),
            Contact::Phone(_) => {
                concat!("select ", user_columns!(), " from auth.users where phone = $1 and not is_sso_user")
            }
        };
        sqlx::query_as(sql).bind(contact.as_str()).fetch_optional(&mut *self.0).await
    }

    /// The same about to be changed: until the end nobody else changes them.
    pub(super) async fn user_at_to_change(&mut self, contact: &Contact) -> sqlx::Result<Option<User>> {
        match self.user_at(contact).await? {
            // As they are once the lock is there, which may be some time later.
            Some(user) => self.user_to_change(user.id).await,
            None => Ok(None),
        }
    }

    /// Somebody with all that is shown of them.
    pub(super) async fn profile(&mut self, user: User) -> sqlx::Result<Profile> {
        let identities = self.identities(user.id).await?;
        let factors = self.factors(user.id).await?;
        Ok(Profile { user, identities, factors })
    }

    /// A page of everybody, the newest first, and how many there are in all.
    pub(super) async fn users(&mut self, limit: i64, offset: i64) -> sqlx::Result<(Vec<User>, i64)> {
        let sql = concat!(
            "select ",
            user_columns!(),
            " from auth.users order by users.created_at desc, id limit $1 offset $2"
        );
        let users = sqlx::query_as(sql).bind(limit).bind(offset).fetch_all(&mut *self.0).await?;
        let total = sqlx::query_scalar("select count(*) from auth.users").fetch_one(&mut *self.0).await?;
        Ok((users, total))
    }

    /// Adds somebody. False if the address, the number or the id is taken.
    pub(super) async fn add_user(&mut self, user: &User) -> sqlx::Result<bool> {
        let sql = "insert into auth.users (
                instance_id, id, aud, role, email, encrypted_password, email_confirmed_at,
                last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at,
                banned_until, is_anonymous, phone, phone_confirmed_at, invited_at, is_super_admin,
                confirmation_token, recovery_token, email_change_token_new, email_change
            ) values (
                '00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11,
                $12, $13, $14, $15, $16, false, '', '', '', ''
            )";
        let added = sqlx::query(sql)
            .bind(user.id)
            .bind(&user.aud)
            .bind(&user.role)
            .bind(&user.email)
            .bind(&user.encrypted_password)
            .bind(user.email_confirmed_at)
            .bind(user.last_sign_in_at)
            .bind(Json(&user.app_metadata))
            .bind(Json(&user.user_metadata))
            .bind(user.created_at)
            .bind(user.updated_at)
            .bind(user.banned_until)
            .bind(user.is_anonymous)
            .bind(&user.phone)
            .bind(user.phone_confirmed_at)
            .bind(user.invited_at)
            .execute(&mut *self.0)
            .await;
        unless_taken(added)
    }

    /// Writes what may have changed about somebody. False if the address or the number is taken.
    pub(super) async fn save_user(&mut self, user: &User, moment: &Moment) -> sqlx::Result<bool> {
        let sql = "update auth.users set role = $2, email = $3, encrypted_password = $4,
                email_confirmed_at = $5, last_sign_in_at = $6, raw_app_meta_data = $7,
                raw_user_meta_data = $8, banned_until = $9, is_anonymous = $10, updated_at = $11,
                phone = $12, phone_confirmed_at = $13, invited_at = $14,
                email_change = coalesce($15, ''), email_change_confirm_status = $16,
                phone_change = coalesce($17, ''), deleted_at = $18
            where id = $1";
        let saved = sqlx::query(sql)
            .bind(user.id)
            .bind(&user.role)
            .bind(&user.email)
            .bind(&user.encrypted_password)
            .bind(user.email_confirmed_at)
            .bind(user.last_sign_in_at)
            .bind(Json(&user.app_metadata))
            .bind(Json(&user.user_metadata))
            .bind(user.banned_until)
            .bind(user.is_anonymous)
            .bind(moment.now)
            .bind(&user.phone)
            .bind(user.phone_confirmed_at)
            .bind(user.invited_at)
            .bind(&user.email_change)
            .bind(user.email_change_confirm_status)
            .bind(&user.phone_change)
            .bind(user.deleted_at)
            .execute(&mut *self.0)
            .await;
        unless_taken(saved)
    }

    /// Notes that somebody has signed in.
    pub(super) async fn touch_user(&mut self, id: Uuid, moment: &Moment) -> sqlx::Result<()> {
        sqlx::query("update auth.users set last_sign_in_at = $2, updated_at = $2 where id = $1")
            .bind(id)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(super) async fn remove_user(&mut self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.users where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(super) async fn identities(&mut self, user: Uuid) -> sqlx::Result<Vec<Identity>> {
        let sql = "select id, provider_id, user_id, identity_data, provider, last_sign_in_at,
                coalesce(created_at, 'epoch') as created_at,
                coalesce(updated_at, 'epoch') as updated_at, email
            from auth.identities where user_id = $1 order by identities.created_at, id";
        sqlx::query_as(sql).bind(user).fetch_all(&mut *self.0).await
    }

    /// Adds an identity, or writes over the one the same provider gave the same person.
    pub(super) async fn put_identity(&mut self, identity: &Identity) -> sqlx::Result<()> {
        let sql = "insert into auth.identities (
                id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
            ) values ($1, $2, $3, $4, $5, $6, $7, $8)
            on conflict (provider_id, provider) do update
            set identity_data = excluded.identity_data, updated_at = excluded.updated_at";
        sqlx::query(sql)
            .bind(identity.id)
            .bind(&identity.provider_id)
            .bind(identity.user_id)
            .bind(Json(&identity.identity_data))
            .bind(&identity.provider)
            .bind(identity.last_sign_in_at)
            .bind(identity.created_at)
            .bind(identity.updated_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Leaves nothing of an identity that says whose it was.
    pub(super) async fn hide_identity(&mut self, id: Uuid, provider_id: &str) -> sqlx::Result<()> {
        sqlx::query("update auth.identities set identity_data = '{}', provider_id = $2 where id = $1")
            .bind(id)
            .bind(provider_id)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(super) async fn remove_identity(&mut self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.identities where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(super) async fn session(&mut self, id: Uuid) -> sqlx::Result<Option<Session>> {
        let sql = "select id, user_id, coalesce(aal::text, 'aal1') as aal, not_after,
                coalesce(created_at, 'epoch') as created_at, oauth_client_id, scopes
            from auth.sessions where id = $1";
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    pub(super) async fn add_session(
        &mut self,
        session: &Session,
        user_agent: Option<&str>,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "insert into auth.sessions (
                id, user_id, aal, user_agent, created_at, updated_at, oauth_client_id, scopes
            ) values ($1, $2, $3::auth.aal_level, $4, $5, $5, $6, $7)";
        sqlx::query(sql)
            .bind(session.id)
            .bind(session.user_id)
            .bind(&session.aal)
            .bind(user_agent)
            .bind(moment.now)
            .bind(session.oauth_client_id)
            .bind(&session.scopes)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Notes that a session goes on.
    pub(super) async fn touch_session(&mut self, id: Uuid, moment: &Moment) -> sqlx::Result<()> {
        sqlx::query("update auth.sessions set refreshed_at = $2, updated_at = $3 where id = $1")
            .bind(id)
            .bind(moment.now.naive_utc())
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(super) async fn end_session(&mut self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.sessions where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Ends every session of somebody except, if there is one, the session to keep.
    pub(super) async fn end_sessions(&mut self, user: Uuid, keep: Option<Uuid>) -> sqlx::Result<()> {
        sqlx::query("delete from auth.sessions where user_id = $1 and id is distinct from $2")
            .bind(user)
            .bind(keep)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// How the person of a session proved who they are, the latest first.
    pub(super) async fn proofs(&mut self, session: Uuid) -> sqlx::Result<Vec<Proof>> {
        let sql = "select authentication_method as method,
                extract(epoch from updated_at)::bigint as timestamp
            from auth.mfa_amr_claims where session_id = $1 order by updated_at desc";
        sqlx::query_as(sql).bind(session).fetch_all(&mut *self.0).await
    }

    pub(super) async fn add_proof(
        &mut self,
        session: Uuid,
        method: &str,
        moment: &mut Moment,
    ) -> sqlx::Result<()> {
        let sql =
            "insert into auth.mfa_amr_claims (id, session_id, authentication_method, created_at, updated_at)
            values ($1, $2, $3, $4, $4)
            on conflict (session_id, authentication_method) do update set updated_at = excluded.updated_at";
        sqlx::query(sql)
            .bind(moment.uuid())
            .bind(session)
            .bind(method)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// A refresh token and whose it is. Its session is locked until the end, so that of two who
    /// show the same token the second sees what the first has done.
    pub(super) async fn refresh_token(&mut self, token: &str) -> sqlx::Result<Option<(RefreshToken, Uuid)>> {
        let session: Option<(Option<Uuid>, Option<String>)> =
            sqlx::query_as("select session_id, user_id from auth.refresh_tokens where token = $1")
                .bind(token)
                .fetch_optional(&mut *self.0)
                .await?;
        let Some((session, Some(user))) = session else { return Ok(None) };
        if let Some(session) = session {
            sqlx::query("select from auth.sessions where id = $1 for update")
                .bind(session)
                .execute(&mut *self.0)
                .await?;
        }
        let sql = concat!("select ", token_columns!(), " from auth.refresh_tokens where token = $1");
        let token = sqlx::query_as(sql).bind(token).fetch_optional(&mut *self.0).await?;
        Ok(token.zip(Uuid::parse_str(&user).ok()))
    }

    /// The refresh token of a session that is not used up.
    pub(super) async fn active_token(&mut self, session: Uuid) -> sqlx::Result<Option<RefreshToken>> {
        let sql = concat!(
            "select ",
            token_columns!(),
            " from auth.refresh_tokens where session_id = $1 and revoked is false order by id desc limit 1"
        );
        sqlx::query_as(sql).bind(session).fetch_optional(&mut *self.0).await
    }

    pub(super) async fn add_token(
        &mut self,
        token: &str,
        parent: Option<&str>,
        session: &Session,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "insert into auth.refresh_tokens (
                instance_id, token, user_id, parent, session_id, revoked, created_at, updated_at
            ) values ('00000000-0000-0000-0000-000000000000', $1, $2, $3, $4, false, $5, $5)";
        sqlx::query(sql)
            .bind(token)
            .bind(session.user_id.to_string())
            .bind(parent)
            .bind(session.id)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(super) async fn use_up(&mut self, token: &RefreshToken, moment: &Moment) -> sqlx::Result<()> {
        sqlx::query("update auth.refresh_tokens set revoked = true, updated_at = $2 where id = $1")
            .bind(token.id)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Uses up every token of a session.
    pub(super) async fn use_up_all(&mut self, session: Uuid, moment: &Moment) -> sqlx::Result<()> {
        let sql = "update auth.refresh_tokens set revoked = true, updated_at = $2
            where session_id = $1 and revoked is false";
        sqlx::query(sql).bind(session).bind(moment.now).execute(&mut *self.0).await?;
        Ok(())
    }
}

/// False for a row that may not be there twice.
fn unless_taken<T>(done: sqlx::Result<T>) -> sqlx::Result<bool> {
    match done {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}
