//! Passkeys, the keys of second factors, the questions put to both; and a lock for wallets.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Tx, unless_taken};
use crate::auth::{
    moment::Moment,
    passkey::{Passkey, Purpose},
    webauthn::{Ceremony, Credential},
};

macro_rules! passkey_columns {
    () => {
        "id, user_id, credential_id, public_key, attestation_type, aaguid, sign_count, transports,
         backup_eligible, backed_up, friendly_name, created_at, last_used_at"
    };
}

impl Tx {
    /// The passkeys of somebody, the oldest first.
    pub(in crate::auth) async fn passkeys(&mut self, user: Uuid) -> sqlx::Result<Vec<Passkey>> {
        let sql = concat!(
            "select ",
            passkey_columns!(),
            " from auth.webauthn_credentials where user_id = $1 order by created_at, id"
        );
        sqlx::query_as(sql).bind(user).fetch_all(&mut *self.0).await
    }

    /// False if the credential is registered already, whoever has it.
    pub(in crate::auth) async fn add_passkey(&mut self, passkey: &Passkey) -> sqlx::Result<bool> {
        let sql = "insert into auth.webauthn_credentials (
                id, user_id, credential_id, public_key, attestation_type, aaguid, sign_count, transports,
                backup_eligible, backed_up, friendly_name, created_at, updated_at
            ) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)";
        let added = sqlx::query(sql)
            .bind(passkey.id)
            .bind(passkey.user_id)
            .bind(&passkey.credential_id)
            .bind(&passkey.public_key)
            .bind(&passkey.attestation_type)
            .bind(passkey.aaguid)
            .bind(passkey.sign_count)
            .bind(Json(&passkey.transports))
            .bind(passkey.backup_eligible)
            .bind(passkey.backed_up)
            .bind(&passkey.friendly_name)
            .bind(passkey.created_at)
            .execute(&mut *self.0)
            .await;
        unless_taken(added)
    }

    /// Calls a passkey of somebody otherwise; none if they have no such passkey.
    pub(in crate::auth) async fn name_passkey(
        &mut self,
        user: Uuid,
        id: Uuid,
        name: &str,
        moment: &Moment,
    ) -> sqlx::Result<Option<Passkey>> {
        let sql = concat!(
            "update auth.webauthn_credentials set friendly_name = $3, updated_at = $4
             where user_id = $1 and id = $2 returning ",
            passkey_columns!()
        );
        sqlx::query_as(sql).bind(user).bind(id).bind(name).bind(moment.now).fetch_optional(&mut *self.0).await
    }

    /// Notes that a passkey has signed somebody in, and how it is since.
    pub(in crate::auth) async fn touch_passkey(
        &mut self,
        credential: &Credential,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "update auth.webauthn_credentials
            set sign_count = $2, backed_up = $3, last_used_at = $4, updated_at = $4 where credential_id = $1";
        sqlx::query(sql)
            .bind(&credential.id)
            .bind(i64::from(credential.counter))
            .bind(credential.backed_up)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// False if somebody has no such passkey.
    pub(in crate::auth) async fn remove_passkey(&mut self, user: Uuid, id: Uuid) -> sqlx::Result<bool> {
        let removed = sqlx::query("delete from auth.webauthn_credentials where user_id = $1 and id = $2")
            .bind(user)
            .bind(id)
            .execute(&mut *self.0)
            .await?;
        Ok(removed.rows_affected() > 0)
    }

    pub(in crate::auth) async fn remove_passkeys(&mut self, user: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.webauthn_credentials where user_id = $1")
            .bind(user)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(in crate::auth) async fn add_ceremony(
        &mut self,
        id: Uuid,
        user: Option<Uuid>,
        purpose: Purpose,
        ceremony: &Ceremony,
        ends_at: DateTime<Utc>,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "insert into auth.webauthn_challenges (
                id, user_id, challenge_type, session_data, created_at, expires_at
            ) values ($1, $2, $3, $4, $5, $6)";
        sqlx::query(sql)
            .bind(id)
            .bind(user)
            .bind(purpose.name())
            .bind(Json(ceremony))
            .bind(moment.now)
            .bind(ends_at)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Takes a question away, and says until when it might be answered: nobody gets it twice.
    pub(in crate::auth) async fn take_ceremony(
        &mut self,
        id: Uuid,
        user: Option<Uuid>,
        purpose: Purpose,
    ) -> sqlx::Result<Option<(Ceremony, DateTime<Utc>)>> {
        let sql = "delete from auth.webauthn_challenges
            where id = $1 and user_id is not distinct from $2 and challenge_type = $3
            returning session_data, expires_at";
        let taken: Option<(Json<Ceremony>, DateTime<Utc>)> =
            sqlx::query_as(sql).bind(id).bind(user).bind(purpose.name()).fetch_optional(&mut *self.0).await?;
        Ok(taken.map(|(ceremony, ends_at)| (ceremony.0, ends_at)))
    }

    /// What was asked in a question put to a second factor.
    pub(in crate::auth) async fn ceremony(&mut self, question: Uuid) -> sqlx::Result<Option<Ceremony>> {
        let sql = "select web_authn_session_data from auth.mfa_challenges
            where id = $1 and web_authn_session_data is not null";
        let kept: Option<Json<Ceremony>> =
            sqlx::query_scalar(sql).bind(question).fetch_optional(&mut *self.0).await?;
        Ok(kept.map(|kept| kept.0))
    }

    pub(in crate::auth) async fn put_ceremony(
        &mut self,
        question: Uuid,
        ceremony: &Ceremony,
    ) -> sqlx::Result<()> {
        sqlx::query("update auth.mfa_challenges set web_authn_session_data = $2 where id = $1")
            .bind(question)
            .bind(Json(ceremony))
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(in crate::auth) async fn remove_question(&mut self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.mfa_challenges where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(())
    }

    /// The key of a second factor.
    pub(in crate::auth) async fn factor_key(&mut self, factor: Uuid) -> sqlx::Result<Option<Value>> {
        let sql = "select web_authn_credential from auth.mfa_factors
            where id = $1 and web_authn_credential is not null";
        sqlx::query_scalar(sql).bind(factor).fetch_optional(&mut *self.0).await
    }

    pub(in crate::auth) async fn put_factor_key(
        &mut self,
        factor: Uuid,
        key: &Value,
        aaguid: Uuid,
    ) -> sqlx::Result<()> {
        let sql =
            "update auth.mfa_factors set web_authn_credential = $2, web_authn_aaguid = $3 where id = $1";
        sqlx::query(sql).bind(factor).bind(Json(key)).bind(aaguid).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Until the end nobody else signs in with this wallet: two at once would be two accounts.
    pub(in crate::auth) async fn hold_wallet(&mut self, wallet: &str) -> sqlx::Result<()> {
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(wallet)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
