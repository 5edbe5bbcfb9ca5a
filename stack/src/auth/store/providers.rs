//! What has to do with providers: identities they vouch for, trips to them, and those an admin made.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Tx, unless_taken};
use crate::auth::{custom::CustomProvider, flow::Trip, moment::Moment, outbound::Tokens, user::Identity};

macro_rules! trip_columns {
    () => {
        "id, user_id, auth_code, code_challenge, code_challenge_method::text as code_challenge_method,
         provider_type, coalesce(created_at, 'epoch') as created_at,
         nullif(invite_token, '') as invite_token, nullif(referrer, '') as referrer, linking_target_id,
         oauth_client_state_id, email_optional"
    };
}

macro_rules! custom_columns {
    () => {
        "id, provider_type, identifier, name, client_id, client_secret, acceptable_client_ids, scopes,
         custom_claims_allowlist, pkce_enabled, attribute_mapping, authorization_params, enabled,
         email_optional, issuer, discovery_url, skip_nonce_check, authorization_url, token_url,
         userinfo_url, jwks_uri, cached_discovery, discovery_cached_at, created_at, updated_at"
    };
}

impl Tx {
    /// The identity a provider knows by this id.
    pub(in crate::auth) async fn identity(
        &mut self,
        provider: &str,
        provider_id: &str,
    ) -> sqlx::Result<Option<Identity>> {
        let sql = "select id, provider_id, user_id, identity_data, provider, last_sign_in_at,
                coalesce(created_at, 'epoch') as created_at,
                coalesce(updated_at, 'epoch') as updated_at, email
            from auth.identities where provider = $1 and provider_id = $2";
        sqlx::query_as(sql).bind(provider).bind(provider_id).fetch_optional(&mut *self.0).await
    }

    /// Adds an identity. False if the provider's id belongs to somebody already.
    pub(in crate::auth) async fn add_identity(&mut self, identity: &Identity) -> sqlx::Result<bool> {
        let sql = "insert into auth.identities (
                id, provider_id, user_id, identity_data, provider, last_sign_in_at, created_at, updated_at
            ) values ($1, $2, $3, $4, $5, $6, $7, $8)";
        let added = sqlx::query(sql)
            .bind(identity.id)
            .bind(&identity.provider_id)
            .bind(identity.user_id)
            .bind(Json(&identity.identity_data))
            .bind(&identity.provider)
            .bind(identity.last_sign_in_at)
            .bind(identity.created_at)
            .bind(identity.updated_at)
            .execute(&mut *self.0)
            .await;
        unless_taken(added)
    }

    /// Writes what a provider now says about somebody.
    pub(in crate::auth) async fn save_identity(
        &mut self,
        identity: &Identity,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "update auth.identities set identity_data = $2, last_sign_in_at = $3, updated_at = $4
            where id = $1";
        sqlx::query(sql)
            .bind(identity.id)
            .bind(Json(&identity.identity_data))
            .bind(identity.last_sign_in_at)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Whose identities have this address, beside those of single sign-on.
    pub(in crate::auth) async fn holders(&mut self, email: &str) -> sqlx::Result<Vec<Uuid>> {
        let sql = "select user_id from auth.identities
            where email = lower($1) and provider not like 'sso:%' order by created_at, id";
        sqlx::query_scalar(sql).bind(email).fetch_all(&mut *self.0).await
    }

    pub(in crate::auth) async fn add_trip(&mut self, trip: &Trip) -> sqlx::Result<()> {
        let sql = "insert into auth.flow_state (
                id, auth_code, code_challenge, code_challenge_method, provider_type,
                provider_access_token, provider_refresh_token, created_at, updated_at,
                authentication_method, invite_token, referrer, linking_target_id,
                oauth_client_state_id, email_optional
            ) values (
                $1, $2, $3, $4::auth.code_challenge_method, $5, '', '', $6, $6, 'oauth', $7, $8, $9, $10, $11
            )";
        sqlx::query(sql)
            .bind(trip.id)
            .bind(&trip.auth_code)
            .bind(&trip.code_challenge)
            .bind(&trip.code_challenge_method)
            .bind(&trip.provider_type)
            .bind(trip.created_at)
            .bind(&trip.invite_token)
            .bind(&trip.referrer)
            .bind(trip.linking_target_id)
            .bind(trip.oauth_client_state_id)
            .bind(trip.email_optional)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(in crate::auth) async fn trip(&mut self, id: Uuid) -> sqlx::Result<Option<Trip>> {
        let sql = concat!("select ", trip_columns!(), " from auth.flow_state where id = $1");
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    /// A trip that is about to end: until then nobody else ends it.
    pub(in crate::auth) async fn trip_to_end(&mut self, id: Uuid) -> sqlx::Result<Option<Trip>> {
        let sql = concat!("select ", trip_columns!(), " from auth.flow_state where id = $1 for update");
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    /// Notes who came back from a trip, and with what, for who shows the code.
    pub(in crate::auth) async fn end_trip(
        &mut self,
        id: Uuid,
        user: Uuid,
        tokens: &Tokens,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "update auth.flow_state set user_id = $2, provider_access_token = $3,
                provider_refresh_token = coalesce($4, ''), auth_code_issued_at = $5, updated_at = $5
            where id = $1";
        sqlx::query(sql)
            .bind(id)
            .bind(user)
            .bind(&tokens.access_token)
            .bind(&tokens.refresh_token)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Keeps the verifier of a trip.
    pub(in crate::auth) async fn add_client_state(
        &mut self,
        id: Uuid,
        provider: &str,
        verifier: &str,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "insert into auth.oauth_client_states (id, provider_type, code_verifier, created_at)
            values ($1, $2, $3, $4)";
        sqlx::query(sql)
            .bind(id)
            .bind(provider)
            .bind(verifier)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Takes out the verifier of a trip, and when it was put there.
    pub(in crate::auth) async fn take_client_state(
        &mut self,
        id: Uuid,
    ) -> sqlx::Result<Option<(String, DateTime<Utc>)>> {
        let sql = "delete from auth.oauth_client_states where id = $1
            returning coalesce(code_verifier, ''), created_at";
        sqlx::query_as(sql).bind(id).fetch_optional(&mut *self.0).await
    }

    /// The providers an admin has made, of one type or of both.
    pub(in crate::auth) async fn custom_providers(
        &mut self,
        of_type: Option<&str>,
    ) -> sqlx::Result<Vec<CustomProvider>> {
        let sql = concat!(
            "select ",
            custom_columns!(),
            " from auth.custom_oauth_providers where $1 is null or provider_type = $1
              order by created_at desc, id"
        );
        sqlx::query_as(sql).bind(of_type).fetch_all(&mut *self.0).await
    }

    pub(in crate::auth) async fn custom_provider(
        &mut self,
        identifier: &str,
    ) -> sqlx::Result<Option<CustomProvider>> {
        let sql =
            concat!("select ", custom_columns!(), " from auth.custom_oauth_providers where identifier = $1");
        sqlx::query_as(sql).bind(identifier).fetch_optional(&mut *self.0).await
    }

    /// Adds a provider, or writes over the one with its id. False if the identifier is another's.
    pub(in crate::auth) async fn put_custom_provider(
        &mut self,
        custom: &CustomProvider,
    ) -> sqlx::Result<bool> {
        let sql = concat!(
            "insert into auth.custom_oauth_providers (",
            custom_columns!(),
            ") values (
                $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
                $21, $22, $23, $24, $25
            )
            on conflict (id) do update set name = excluded.name, client_id = excluded.client_id,
                client_secret = excluded.client_secret,
                acceptable_client_ids = excluded.acceptable_client_ids, scopes = excluded.scopes,
                custom_claims_allowlist = excluded.custom_claims_allowlist,
                pkce_enabled = excluded.pkce_enabled, attribute_mapping = excluded.attribute_mapping,
                authorization_params = excluded.authorization_params, enabled = excluded.enabled,
                email_optional = excluded.email_optional, issuer = excluded.issuer,
                discovery_url = excluded.discovery_url, skip_nonce_check = excluded.skip_nonce_check,
                authorization_url = excluded.authorization_url, token_url = excluded.token_url,
                userinfo_url = excluded.userinfo_url, jwks_uri = excluded.jwks_uri,
                cached_discovery = excluded.cached_discovery,
                discovery_cached_at = excluded.discovery_cached_at, updated_at = excluded.updated_at"
        );
        let put = sqlx::query(sql)
            .bind(custom.id)
            .bind(&custom.provider_type)
            .bind(&custom.identifier)
            .bind(&custom.name)
            .bind(&custom.client_id)
            .bind(&custom.client_secret)
            .bind(&custom.acceptable_client_ids)
            .bind(&custom.scopes)
            .bind(&custom.custom_claims_allowlist)
            .bind(custom.pkce_enabled)
            .bind(Json(&custom.attribute_mapping))
            .bind(Json(&custom.authorization_params))
            .bind(custom.enabled)
            .bind(custom.email_optional)
            .bind(&custom.issuer)
            .bind(&custom.discovery_url)
            .bind(custom.skip_nonce_check)
            .bind(&custom.authorization_url)
            .bind(&custom.token_url)
            .bind(&custom.userinfo_url)
            .bind(&custom.jwks_uri)
            .bind(custom.cached_discovery.as_ref().map(Json))
            .bind(custom.discovery_cached_at)
            .bind(custom.created_at)
            .bind(custom.updated_at)
            .execute(&mut *self.0)
            .await;
        unless_taken(put)
    }

    /// Takes a provider away. False if there is none.
    pub(in crate::auth) async fn remove_custom_provider(&mut self, identifier: &str) -> sqlx::Result<bool> {
        let sql = "delete from auth.custom_oauth_providers where identifier = $1";
        let removed = sqlx::query(sql).bind(identifier).execute(&mut *self.0).await?;
        Ok(removed.rows_affected() > 0)
    }
}
