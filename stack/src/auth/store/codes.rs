//! One-time codes, and the flows that some of them finish.

use uuid::Uuid;

use super::Tx;
use crate::auth::{code::Purpose, flow::Flow, moment::Moment};

impl Tx {
    /// Keeps the hash of a code, in place of the one before it.
    pub(in crate::auth) async fn put_code(
        &mut self,
        user: Uuid,
        purpose: Purpose,
        hash: &str,
        to: &str,
        moment: &mut Moment,
    ) -> sqlx::Result<()> {
        // The person first: whoever uses a code up locks them before it.
        let sql = match purpose {
            Purpose::Confirmation => {
                "update auth.users set confirmation_token = $2, confirmation_sent_at = $3, updated_at = $3
                 where id = $1"
            }
            Purpose::Recovery => {
                "update auth.users set recovery_token = $2, recovery_sent_at = $3, updated_at = $3
                 where id = $1"
            }
            Purpose::EmailChangeCurrent => {
                "update auth.users set email_change_token_current = $2, email_change_sent_at = $3,
                 updated_at = $3 where id = $1"
            }
            Purpose::EmailChangeNew => {
                "update auth.users set email_change_token_new = $2, email_change_sent_at = $3,
                 updated_at = $3 where id = $1"
            }
            Purpose::PhoneChange => {
                "update auth.users set phone_change_token = $2, phone_change_sent_at = $3, updated_at = $3
                 where id = $1"
            }
            Purpose::Reauthentication => {
                "update auth.users set reauthentication_token = $2, reauthentication_sent_at = $3,
                 updated_at = $3 where id = $1"
            }
        };
        sqlx::query(sql).bind(user).bind(hash).bind(moment.now).execute(&mut *self.0).await?;
        let sql = "insert into auth.one_time_tokens (
                id, user_id, token_type, token_hash, relates_to, created_at, updated_at
            ) values ($1, $2, $3::auth.one_time_token_type, $4, $5, $6, $6)
            on conflict (user_id, token_type) do update set id = excluded.id,
                token_hash = excluded.token_hash, relates_to = excluded.relates_to,
                created_at = excluded.created_at, updated_at = excluded.updated_at";
        sqlx::query(sql)
            .bind(moment.uuid())
            .bind(user)
            .bind(purpose.name())
            .bind(hash)
            .bind(to)
            .bind(moment.now.naive_utc())
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Whose code this is, and what it proves, if it is one of these.
    pub(in crate::auth) async fn code(
        &mut self,
        hashes: &[String],
        purposes: &[Purpose],
    ) -> sqlx::Result<Option<(Uuid, Purpose)>> {
        let names: Vec<_> = purposes.iter().map(|purpose| purpose.name()).collect();
        let sql = "select user_id, token_type::text from auth.one_time_tokens
            where token_hash = any($1) and token_type::text = any($2)";
        let found: Option<(Uuid, String)> =
            sqlx::query_as(sql).bind(hashes).bind(names).fetch_optional(&mut *self.0).await?;
        Ok(found.and_then(|(user, name)| {
            let purpose = Purpose::ALL.into_iter().find(|purpose| purpose.name() == name)?;
            Some((user, purpose))
        }))
    }

    /// Uses up codes of somebody.
    pub(in crate::auth) async fn clear_codes(
        &mut self,
        user: Uuid,
        purposes: &[Purpose],
    ) -> sqlx::Result<()> {
        let names: Vec<_> = purposes.iter().map(|purpose| purpose.name()).collect();
        let sql = "delete from auth.one_time_tokens where user_id = $1 and token_type::text = any($2)";
        sqlx::query(sql).bind(user).bind(&names).execute(&mut *self.0).await?;
        let sql = "update auth.users set
                confirmation_token = case when 'confirmation_token' = any($2) then '' else confirmation_token end,
                recovery_token = case when 'recovery_token' = any($2) then '' else recovery_token end,
                email_change_token_current = case when 'email_change_token_current' = any($2)
                    then '' else email_change_token_current end,
                email_change_token_new = case when 'email_change_token_new' = any($2)
                    then '' else email_change_token_new end,
                phone_change_token = case when 'phone_change_token' = any($2) then '' else phone_change_token end,
                reauthentication_token = case when 'reauthentication_token' = any($2)
                    then '' else reauthentication_token end
            where id = $1";
        sqlx::query(sql).bind(user).bind(&names).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(in crate::auth) async fn add_flow(&mut self, flow: &Flow, provider: &str) -> sqlx::Result<()> {
        let sql = "insert into auth.flow_state (
                id, user_id, auth_code, code_challenge_method, code_challenge, provider_type,
                provider_access_token, provider_refresh_token, created_at, updated_at, authentication_method
            ) values ($1, $2, $3, $4::auth.code_challenge_method, $5, $6, '', '', $7, $7, $8)";
        sqlx::query(sql)
            .bind(flow.id)
            .bind(flow.user_id)
            .bind(&flow.auth_code)
            .bind(&flow.code_challenge_method)
            .bind(&flow.code_challenge)
            .bind(provider)
            .bind(flow.created_at)
            .bind(&flow.authentication_method)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Notes that the latest flow of somebody has come back this way, and names its code.
    pub(in crate::auth) async fn issue_code(
        &mut self,
        user: Uuid,
        method: &str,
        moment: &Moment,
    ) -> sqlx::Result<Option<String>> {
        let sql = "update auth.flow_state set auth_code_issued_at = $3, updated_at = $3
            where id = (select id from auth.flow_state where user_id = $1 and authentication_method = $2
                        order by created_at desc limit 1)
            returning auth_code";
        sqlx::query_scalar(sql).bind(user).bind(method).bind(moment.now).fetch_optional(&mut *self.0).await
    }

    /// The flow with this code. Until the end nobody else finishes it.
    pub(in crate::auth) async fn flow(&mut self, code: &str) -> sqlx::Result<Option<Flow>> {
        let sql = "select id, user_id, auth_code, coalesce(code_challenge, '') as code_challenge,
                coalesce(code_challenge_method::text, '') as code_challenge_method, authentication_method,
                coalesce(created_at, 'epoch') as created_at, auth_code_issued_at,
                nullif(provider_access_token, '') as provider_access_token,
                nullif(provider_refresh_token, '') as provider_refresh_token
            from auth.flow_state where auth_code = $1 for update";
        sqlx::query_as(sql).bind(code).fetch_optional(&mut *self.0).await
    }

    pub(in crate::auth) async fn end_flow(&mut self, id: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.flow_state where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(())
    }
}
