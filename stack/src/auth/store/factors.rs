//! Second factors, and the questions put to them.

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Tx, unless_taken};
use crate::auth::{
    factor::{Factor, Question},
    moment::Moment,
    session::Session,
};

macro_rules! factor_columns {
    () => {
        "id, user_id, friendly_name, factor_type::text as factor_type, status::text as status,
         created_at, updated_at, secret, phone, last_challenged_at"
    };
}

impl Tx {
    pub(in crate::auth) async fn factors(&mut self, user: Uuid) -> sqlx::Result<Vec<Factor>> {
        let sql = concat!(
            "select ",
            factor_columns!(),
            " from auth.mfa_factors where user_id = $1 order by mfa_factors.created_at, id"
        );
        sqlx::query_as(sql).bind(user).fetch_all(&mut *self.0).await
    }

    /// A factor of somebody. Until the end nobody else uses it.
    pub(in crate::auth) async fn factor(&mut self, user: Uuid, id: Uuid) -> sqlx::Result<Option<Factor>> {
        let sql = concat!(
            "select ",
            factor_columns!(),
            " from auth.mfa_factors where user_id = $1 and id = $2 for update"
        );
        sqlx::query_as(sql).bind(user).bind(id).fetch_optional(&mut *self.0).await
    }

    /// False if the name or the number is taken.
    pub(in crate::auth) async fn add_factor(&mut self, factor: &Factor) -> sqlx::Result<bool> {
        let sql = "insert into auth.mfa_factors (
                id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret, phone
            ) values ($1, $2, $3, $4::auth.factor_type, $5::auth.factor_status, $6, $6, $7, $8)";
        let added = sqlx::query(sql)
            .bind(factor.id)
            .bind(factor.user_id)
            .bind(factor.friendly_name.as_deref().unwrap_or_default())
            .bind(&factor.factor_type)
            .bind(&factor.status)
            .bind(factor.created_at)
            .bind(&factor.secret)
            .bind(&factor.phone)
            .execute(&mut *self.0)
            .await;
        unless_taken(added)
    }

    /// Writes what may have changed about a factor. False if the name or the number is taken.
    pub(in crate::auth) async fn save_factor(
        &mut self,
        factor: &Factor,
        moment: &Moment,
    ) -> sqlx::Result<bool> {
        let sql = "update auth.mfa_factors set friendly_name = $2, status = $3::auth.factor_status,
                phone = $4, updated_at = $5 where id = $1";
        let saved = sqlx::query(sql)
            .bind(factor.id)
            .bind(factor.friendly_name.as_deref().unwrap_or_default())
            .bind(&factor.status)
            .bind(&factor.phone)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await;
        unless_taken(saved)
    }

    /// Removes a factor. Sessions that it had raised are as they were before it.
    pub(in crate::auth) async fn remove_factor(&mut self, id: Uuid) -> sqlx::Result<()> {
        let sql = "delete from auth.mfa_amr_claims using auth.sessions
            where session_id = sessions.id and factor_id = $1
            and authentication_method in ('totp', 'mfa/phone', 'mfa/webauthn')";
        sqlx::query(sql).bind(id).execute(&mut *self.0).await?;
        let sql = "update auth.sessions set aal = 'aal1', factor_id = null where factor_id = $1";
        sqlx::query(sql).bind(id).execute(&mut *self.0).await?;
        sqlx::query("delete from auth.mfa_factors where id = $1").bind(id).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Removes what somebody began to enrol long enough ago and never finished.
    pub(in crate::auth) async fn remove_stale_factors(
        &mut self,
        user: Uuid,
        age: TimeDelta,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        let sql = "delete from auth.mfa_factors
            where user_id = $1 and status = 'unverified' and created_at < $2";
        sqlx::query(sql).bind(user).bind(moment.now - age).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Removes what somebody began to enrol before one of that type was verified.
    pub(in crate::auth) async fn remove_unverified_factors(&mut self, verified: &Factor) -> sqlx::Result<()> {
        let sql = "delete from auth.mfa_factors
            where user_id = $1 and status = 'unverified' and factor_type::text = $2";
        sqlx::query(sql).bind(verified.user_id).bind(&verified.factor_type).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(in crate::auth) async fn add_question(&mut self, question: &Question) -> sqlx::Result<()> {
        // Everybody is here, so everybody has the same address.
        let sql = "insert into auth.mfa_challenges (id, factor_id, created_at, ip_address, otp_code)
            values ($1, $2, $3, '127.0.0.1', $4)";
        sqlx::query(sql)
            .bind(question.id)
            .bind(question.factor_id)
            .bind(question.created_at)
            .bind(&question.otp_code)
            .execute(&mut *self.0)
            .await?;
        let sql = "update auth.mfa_factors set last_challenged_at = $2 where id = $1";
        sqlx::query(sql).bind(question.factor_id).bind(question.created_at).execute(&mut *self.0).await?;
        Ok(())
    }

    pub(in crate::auth) async fn question(
        &mut self,
        factor: Uuid,
        id: Uuid,
    ) -> sqlx::Result<Option<Question>> {
        let sql = "select id, factor_id, created_at, verified_at, otp_code
            from auth.mfa_challenges where factor_id = $1 and id = $2";
        sqlx::query_as(sql).bind(factor).bind(id).fetch_optional(&mut *self.0).await
    }

    /// Whether a code was accepted for this factor a while ago, and not longer.
    pub(in crate::auth) async fn was_accepted(
        &mut self,
        factor: Uuid,
        code: &str,
        age: TimeDelta,
        moment: &Moment,
    ) -> sqlx::Result<bool> {
        let sql = "select exists (select from auth.mfa_challenges
            where factor_id = $1 and otp_code = $2 and verified_at >= $3)";
        let since = moment.now - age;
        sqlx::query_scalar(sql).bind(factor).bind(code).bind(since).fetch_one(&mut *self.0).await
    }

    /// Notes that a question was answered, and with what.
    pub(in crate::auth) async fn answer(
        &mut self,
        question: Uuid,
        code: &str,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        sqlx::query("update auth.mfa_challenges set verified_at = $2, otp_code = $3 where id = $1")
            .bind(question)
            .bind(moment.now)
            .bind(code)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    pub(in crate::auth) async fn raise_session(
        &mut self,
        session: &Session,
        factor: Uuid,
        moment: &Moment,
    ) -> sqlx::Result<()> {
        sqlx::query("update auth.sessions set aal = 'aal2', factor_id = $2, updated_at = $3 where id = $1")
            .bind(session.id)
            .bind(factor)
            .bind(moment.now)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// Ends the sessions of somebody in which no second factor was shown.
    pub(in crate::auth) async fn end_low_sessions(&mut self, user: Uuid) -> sqlx::Result<()> {
        sqlx::query("delete from auth.sessions where user_id = $1 and coalesce(aal, 'aal1') = 'aal1'")
            .bind(user)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }
}
