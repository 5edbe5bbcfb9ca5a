//! Applications that sign people in with the project, what they ask for and what they may see.

use uuid::Uuid;

use super::Tx;
use crate::auth::{
    moment::Moment,
    oauth_server::{Authorization, Client, Consent},
    request::Page,
};

macro_rules! client_columns {
    () => {
        "id, client_secret_hash, registration_type::text as registration_type, redirect_uris, grant_types,
         client_name, client_uri, logo_uri, client_type::text as client_type, token_endpoint_auth_method,
         created_at, updated_at"
    };
}

macro_rules! authorization_columns {
    () => {
        "id, authorization_id, client_id, user_id, redirect_uri, scope, state, resource, code_challenge,
         code_challenge_method::text as code_challenge_method, status::text as status,
         authorization_code, nonce, created_at, expires_at, approved_at"
    };
}

impl Tx {
    /// A page of the applications, the newest first, and how many there are in all.
    pub(in crate::auth) async fn clients(&mut self, page: Page) -> sqlx::Result<(Vec<Client>, i64)> {
        let sql = concat!(
            "select ",
            client_columns!(),
            " from auth.oauth_clients where deleted_at is null
             order by oauth_clients.created_at desc, id limit $1 offset $2"
        );
        let (size, skipped) = (i64::from(page.size), i64::from(page.number - 1));
        let clients = sqlx::query_as(sql).bind(size).bind(size * skipped).fetch_all(&mut *self.0).await?;
        let sql = "select count(*) from auth.oauth_clients where deleted_at is null";
        Ok((clients, sqlx::query_scalar(sql).fetch_one(&mut *self.0).await?))
    }

    pub(in crate::auth) async fn client(&mut self, id: Uuid) -> sqlx::Result<Option<Client>> {
        let sql = concat!(
            "select ",
            client_columns!(),
            " from auth.oauth_clients where id = $1 and deleted_at is null"
        );
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    pub(in crate::auth) async fn add_client(&mut self, client: &Client) -> sqlx::Result<()> {
        let sql = "insert into auth.oauth_clients (
                id, client_secret_hash, registration_type, redirect_uris, grant_types, client_name,
                client_uri, logo_uri, client_type, token_endpoint_auth_method, created_at, updated_at
            ) values ($1, $2, $3::auth.oauth_registration_type, $4, $5, $6, $7, $8,
                $9::auth.oauth_client_type, $10, $11, $11)";
        sqlx::query(sql)
            .bind(client.id)
            .bind(&client.client_secret_hash)
            .bind(&client.registration_type)
            .bind(&client.redirect_uris)
            .bind(&client.grant_types)
            .bind(&client.client_name)
            .bind(&client.client_uri)
            .bind(&client.logo_uri)
            .bind(&client.client_type)
            .bind(&client.token_endpoint_auth_method)
            .bind(client.created_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Writes what may have changed about an application.
    pub(in crate::auth) async fn save_client(&mut self, client: &Client) -> sqlx::Result<()> {
        let sql = "update auth.oauth_clients set client_secret_hash = $2, redirect_uris = $3,
                grant_types = $4, client_name = $5, client_uri = $6, logo_uri = $7,
                token_endpoint_auth_method = $8, updated_at = $9 where id = $1";
        sqlx::query(sql)
            .bind(client.id)
            .bind(&client.client_secret_hash)
            .bind(&client.redirect_uris)
            .bind(&client.grant_types)
            .bind(&client.client_name)
            .bind(&client.client_uri)
            .bind(&client.logo_uri)
            .bind(&client.token_endpoint_auth_method)
            .bind(client.updated_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Takes an application away. Its row stays, and nobody finds it.
    pub(in crate::auth) async fn remove_client(&mut self, id: Uuid, moment: &Moment) -> sqlx::Result<()> {
        sqlx::query("update auth.oauth_clients set deleted_at = $2, updated_at = $2 where id = $1")
            .bind(id)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(in crate::auth) async fn add_authorization(&mut self, asked: &Authorization) -> sqlx::Result<()> {
        let sql = "insert into auth.oauth_authorizations (
                id, authorization_id, client_id, redirect_uri, scope, state, resource, code_challenge,
                code_challenge_method, nonce, created_at, expires_at
            ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9::auth.code_challenge_method, $10, $11, $12)";
        sqlx::query(sql)
            .bind(asked.id)
            .bind(&asked.authorization_id)
            .bind(asked.client_id)
            .bind(&asked.redirect_uri)
            .bind(&asked.scope)
            .bind(&asked.state)
            .bind(&asked.resource)
            .bind(&asked.code_challenge)
            .bind(&asked.code_challenge_method)
            .bind(&asked.nonce)
            .bind(asked.created_at)
            .bind(asked.expires_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// What the consent page asks about. Until the end nobody else decides it.
    pub(in crate::auth) async fn authorization(&mut self, id: &str) -> sqlx::Result<Option<Authorization>> {
        let sql = concat!(
            "select ",
            authorization_columns!(),
            " from auth.oauth_authorizations where authorization_id = $1 for update"
        );
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    /// What was agreed to and got this code. Until the end nobody else exchanges it.
    pub(in crate::auth) async fn approved(&mut self, code: &str) -> sqlx::Result<Option<Authorization>> {
        let sql = concat!(
            "select ",
            authorization_columns!(),
            " from auth.oauth_authorizations
             where authorization_code = $1 and oauth_authorizations.status = 'approved' for update"
        );
        sqlx::query_as(sql).bind(code).fetch_optional(&mut *self.0).await
    }

    /// Writes what was decided.
    pub(in crate::auth) async fn save_authorization(&mut self, decided: &Authorization) -> sqlx::Result<()> {
        let sql = "update auth.oauth_authorizations
            set user_id = $2, status = $3::auth.oauth_authorization_status, authorization_code = $4,
                approved_at = $5 where id = $1";
        sqlx::query(sql)
            .bind(decided.id)
            .bind(decided.user_id)
            .bind(&decided.status)
            .bind(&decided.authorization_code)
            .bind(decided.approved_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(in crate::auth) async fn remove_authorization(&mut self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.oauth_authorizations where id = $1")
            .bind(id)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// What somebody lets an application see, if they still do.
    pub(in crate::auth) async fn consent(
        &mut self,
        user: Uuid,
        client: Uuid,
    ) -> sqlx::Result<Option<Consent>> {
        let sql = "select client_id, scopes, granted_at from auth.oauth_consents
            where user_id = $1 and client_id = $2 and revoked_at is null";
        sqlx::query_as(sql).bind(user).bind(client).fetch_optional(&mut *self.0).await
    }

    /// What somebody lets applications see, the latest first.
    pub(in crate::auth) async fn consents(&mut self, user: Uuid) -> sqlx::Result<Vec<Consent>> {
        let sql = "select client_id, scopes, granted_at from auth.oauth_consents
            where user_id = $1 and revoked_at is null order by granted_at desc, id";
        sqlx::query_as(sql).bind(user).fetch_all(&mut *self.0).await
    }

    /// Notes what somebody lets an application see, in place of what it was before.
    pub(in crate::auth) async fn put_consent(
        &mut self,
        user: Uuid,
        client: Uuid,
        scopes: &str,
        moment: &mut Moment,
    ) -> sqlx::Result<()> {
        let sql = "insert into auth.oauth_consents (id, user_id, client_id, scopes, granted_at)
            values ($1, $2, $3, $4, $5)
            on conflict (user_id, client_id) do update
            set scopes = excluded.scopes, granted_at = excluded.granted_at, revoked_at = null";
        sqlx::query(sql)
            .bind(moment.uuid())
            .bind(user)
            .bind(client)
            .bind(scopes)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// False if there is nothing to take back.
    pub(in crate::auth) async fn revoke_consent(
        &mut self,
        user: Uuid,
        client: Uuid,
        moment: &Moment,
    ) -> sqlx::Result<bool> {
        // A clock may have gone back since; the row must make sense all the same.
        let sql = "update auth.oauth_consents set revoked_at = greatest($3, granted_at)
            where user_id = $1 and client_id = $2 and revoked_at is null";
        let done = sqlx::query(sql).bind(user).bind(client).bind(moment.now).execute(&mut *self.0).await?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends the sessions somebody has given an application.
    pub(in crate::auth) async fn end_client_sessions(
        &mut self,
        user: Uuid,
        client: Uuid,
    ) -> sqlx::Result<()> {
        sqlx::query("delete from auth.sessions where user_id = $1 and oauth_client_id = $2")
            .bind(user)
            .bind(client)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
