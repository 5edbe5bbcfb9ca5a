//! `POST /token?grant_type=web3`: signs in whoever owns a wallet.
//!
//! A wallet is an identity of its own, without an address or a number. Who shows one for the first
//! time gets an account.

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Service,
    moment::Moment,
    reply::AuthError,
    store::Tx,
    token::{self, Grant},
    user::{Identity, Metadata, User, merge},
    wallet::{Chain, Message},
};

/// The provider of every wallet, and how a session calls its proof.
const WEB3: &str = "web3";
const SHORTEST: usize = 64;
const LONGEST: usize = 20 * 1024;

/// `POST /token?grant_type=web3`
#[derive(Debug, Deserialize)]
pub(super) struct WalletGrant {
    #[serde(default)]
    chain: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    signature: String,
}

pub(super) async fn sign_in(
    service: &Service,
    mut moment: Moment,
    headers: &HeaderMap,
    asked: WalletGrant,
) -> Result<Grant, AuthError> {
    let settings = service.settings.read();
    let disabled = |message: String| AuthError::unprocessable("web3_provider_disabled", message);
    if !settings.web3_ethereum && !settings.web3_solana {
        return Err(disabled("Web3 provider is disabled".to_owned()));
    }
    let chain = Chain::of(&asked.chain)
        .ok_or_else(|| AuthError::bad_request("web3_unsupported_chain", "Unsupported chain"))?;
    let is_on = match chain {
        Chain::Ethereum => settings.web3_ethereum,
        Chain::Solana => settings.web3_solana,
    };
    if !is_on {
        return Err(disabled(format!("{} Web3 provider is disabled", chain.title())));
    }
    if asked.message.len() < SHORTEST {
        return Err(AuthError::invalid("message is too short"));
    }
    if asked.message.len() > LONGEST {
        return Err(AuthError::invalid("message must not exceed 20KB"));
    }
    let signature = chain.signature(&asked.signature).map_err(AuthError::invalid)?;
    let message = Message::read(chain, &asked.message).map_err(AuthError::invalid)?;
    if !chain.has_signed(&message.address, &asked.message, &signature) {
        return Err(AuthError::oauth("invalid_grant", "Signature does not match address in message"));
    }
    message.check(chain, &settings, moment.now).map_err(|why| AuthError::oauth("invalid_grant", why))?;
    let mut tx = service.store.begin().await?;
    let user = owner(&mut tx, chain, &message, &mut moment).await?;
    token::sign_in(service, tx, user, WEB3, headers, &mut moment).await
}

/// Whoever owns the wallet, if need be from now on.
async fn owner(tx: &mut Tx, chain: Chain, message: &Message, moment: &mut Moment) -> Result<User, AuthError> {
    let wallet = format!("{WEB3}:{}:{}", chain.name(), message.address);
    let said = said(chain, &wallet, message);
    let gone = || AuthError::unexpected("Database error loading user");
    tx.hold_wallet(&wallet).await?;
    let known = tx.identity(WEB3, &wallet).await?;
    let mut user = match &known {
        Some(identity) => tx.user_to_change(identity.user_id).await?.ok_or_else(gone)?,
        None => {
            let user = User::external(moment, WEB3, None, said.clone());
            tx.add_user(&user).await.map_err(AuthError::database("Database error saving new user"))?;
            // A trigger may have had its say.
            tx.user_to_change(user.id).await?.ok_or_else(gone)?
        }
    };
    if user.is_banned(moment.now) {
        return Err(AuthError::forbidden("user_banned", "User is banned"));
    }
    match known {
        Some(mut identity) => {
            identity.identity_data = said.clone();
            identity.last_sign_in_at = Some(moment.now);
            tx.save_identity(&identity, moment).await?;
        }
        None => {
            tx.add_identity(&Identity::external(moment, &user, WEB3, wallet, said.clone())).await?;
        }
    }
    merge(&mut user.user_metadata, said);
    user.note_providers(&tx.identities(user.id).await?);
    tx.save_user(&user, moment).await.map_err(AuthError::database("Database error updating user"))?;
    Ok(user)
}

/// What is written down about a wallet, with the person and with the identity.
fn said(chain: Chain, wallet: &str, message: &Message) -> Metadata {
    let statement = match (chain, &message.statement) {
        (_, Some(statement)) => json!(statement),
        (Chain::Ethereum, None) => Value::Null,
        (Chain::Solana, None) => json!(""),
    };
    let claims = json!({
        "address": message.address, "chain": chain.name(), "network": message.chain_id,
        "domain": message.domain, "statement": statement,
    });
    let mut said = Metadata::new();
    said.insert("sub".to_owned(), json!(wallet));
    said.insert("custom_claims".to_owned(), claims);
    said.insert("email_verified".to_owned(), json!(false));
    said.insert("phone_verified".to_owned(), json!(false));
    said
}
