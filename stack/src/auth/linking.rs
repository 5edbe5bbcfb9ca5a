//! Whose account an identity belongs to, once a provider has said who somebody is.
//!
//! An identity that is known belongs to whom it did. A new one joins the account with the same
//! address, if the address counts as proved; where new addresses need no proof, every address does.
//! Whatever an account held that nobody had proved goes when an identity joins it: it may have been
//! put there by somebody else, in wait.

use uuid::Uuid;

use super::{
    Service,
    claims::Statement,
    code::Purpose,
    contact::Contact,
    inbox::Message,
    moment::Moment,
    provider::Provider,
    reply::AuthError,
    signup::{self, Confirming},
    store::Tx,
    user::{Identity, User, merge},
};

/// What becomes of an identity.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    /// It joins this account.
    Join(Uuid),
    /// It gets an account of its own, with or without its address.
    Create { with_email: bool },
    /// The address is several people's, which should not be.
    Many,
}

/// What a sign-in by a provider leads to.
pub(super) enum Entry {
    Proved(Box<User>),
    /// The account is there, but its address has to be proved first.
    Unproved(Box<Unproved>),
}

/// What is written and sent before somebody is turned away.
pub(super) struct Unproved {
    message: Option<Message>,
    error: AuthError,
}

impl Unproved {
    /// Commits, delivers, and returns what they are told.
    pub(super) async fn commit(self, service: &Service, tx: Tx) -> Result<AuthError, AuthError> {
        tx.commit().await?;
        if let Some(message) = self.message {
            service.inbox.deliver(message);
        }
        Ok(self.error)
    }
}

/// Signs somebody in, and up if they are new.
pub(super) async fn enter(
    service: &Service,
    tx: &mut Tx,
    provider: &Provider,
    statement: Statement,
    moment: &mut Moment,
) -> Result<Entry, AuthError> {
    let must_prove = service.settings.read().confirm_email;
    let counts = statement.is_verified || !must_prove;
    let known = tx.identity(&provider.name, &statement.subject).await?;
    let (mut user, identity, email) = match known {
        Some(mut identity) => {
            let mut user = to_change(tx, identity.user_id).await?;
            identity.identity_data = statement.data.clone();
            identity.last_sign_in_at = Some(moment.now);
            tx.save_identity(&identity, moment).await?;
            merge(&mut user.user_metadata, statement.data);
            user.note_providers(&tx.identities(user.id).await?);
            let email = user.email.clone();
            (user, identity, email)
        }
        None => join_or_create(tx, provider, statement.clone(), counts, moment).await?,
    };
    if user.is_banned(moment.now) {
        return Err(AuthError::forbidden("user_banned", "User is banned"));
    }
    let has_email = !provider.email_optional || email.is_some();
    if has_email && user.email_confirmed_at.is_none() {
        remove_unproved(tx, &mut user, &identity).await?;
        if !counts {
            save(tx, &user, moment).await?;
            return ask_for_proof(service, tx, user, email, &provider.name, moment).await;
        }
        confirm(tx, &mut user, moment).await?;
    }
    save(tx, &user, moment).await?;
    Ok(Entry::Proved(Box::new(user)))
}

/// Adds an identity to who is signed in.
pub(super) async fn link(
    service: &Service,
    tx: &mut Tx,
    target: Uuid,
    provider: &Provider,
    statement: Statement,
    moment: &mut Moment,
) -> Result<Entry, AuthError> {
    let mut user = to_change(tx, target).await?;
    if let Some(known) = tx.identity(&provider.name, &statement.subject).await? {
        let message = if known.user_id == target {
            "Identity is already linked"
        } else {
            "Identity is already linked to another user"
        };
        return Err(AuthError::unprocessable("identity_already_exists", message));
    }
    let Statement { email, is_verified, .. } = statement.clone();
    add_identity(tx, &user, provider, statement, moment).await?;
    user.note_providers(&tx.identities(user.id).await?);
    if user.email.is_none()
        && let Some(email) = email.filter(|email| Contact::email(email).is_ok())
    {
        if tx.user_at(&Contact::Email(email.clone())).await?.is_some() {
            let message = "A user with this email address has already been registered";
            return Err(AuthError::bad_request("email_exists", message));
        }
        user.email = Some(email.clone());
        if !is_verified {
            save(tx, &user, moment).await?;
            let message = sent_to_prove(&provider.name);
            let error = AuthError::unprocessable("email_not_confirmed", message);
            let message = write_to_prove(service, tx, &mut user, email, moment).await?;
            return Ok(Entry::Unproved(Box::new(Unproved { message: Some(message), error })));
        }
        confirm(tx, &mut user, moment).await?;
        user.is_anonymous = false;
    }
    save(tx, &user, moment).await?;
    Ok(Entry::Proved(Box::new(user)))
}

/// Takes up an invitation by a provider instead of by its link.
pub(super) async fn accept_invite(
    tx: &mut Tx,
    token: &str,
    provider: &Provider,
    statement: Statement,
    moment: &mut Moment,
) -> Result<Entry, AuthError> {
    let gone = || AuthError::not_found("invite_not_found", "Invite not found");
    let (id, _) = tx.code(&[token.to_owned()], &[Purpose::Confirmation]).await?.ok_or_else(gone)?;
    let mut user = to_change(tx, id).await?;
    // Again, now that nobody else can take it up at the same time.
    tx.code(&[token.to_owned()], &[Purpose::Confirmation]).await?.ok_or_else(gone)?;
    if user.email != statement.email {
        return Err(AuthError::invalid("Invited email does not match emails from external provider"));
    }
    let data = statement.data.clone();
    let identity = add_identity(tx, &user, provider, statement, moment).await?;
    merge(&mut user.user_metadata, data);
    remove_unproved(tx, &mut user, &identity).await?;
    confirm(tx, &mut user, moment).await?;
    save(tx, &user, moment).await?;
    Ok(Entry::Proved(Box::new(user)))
}

/// Who a new identity belongs to, and with which address.
async fn join_or_create(
    tx: &mut Tx,
    provider: &Provider,
    statement: Statement,
    counts: bool,
    moment: &mut Moment,
) -> Result<(User, Identity, Option<String>), AuthError> {
    let email = statement.email.clone();
    let (holders, owner) = match &email {
        Some(email) => {
            let owner = tx.user_at(&Contact::Email(email.clone())).await?;
            (tx.holders(email).await?, owner.map(|user| user.id))
        }
        None => (Vec::new(), None),
    };
    let data = statement.data.clone();
    match decide(email.is_some() && counts, &holders, owner) {
        Decision::Join(id) => {
            let mut user = to_change(tx, id).await?;
            let identity = add_identity(tx, &user, provider, statement, moment).await?;
            merge(&mut user.user_metadata, data);
            user.note_providers(&tx.identities(user.id).await?);
            Ok((user, identity, email))
        }
        Decision::Create { with_email } => {
            let email = email.filter(|_| with_email);
            let user = User::external(moment, &provider.name, email.clone(), data);
            let failed = AuthError::database("Database error saving new user");
            if !tx.add_user(&user).await.map_err(failed)? {
                return Err(AuthError::email_exists());
            }
            let identity = add_identity(tx, &user, provider, statement, moment).await?;
            // A trigger may have had its say.
            let user = to_change(tx, user.id).await?;
            Ok((user, identity, email))
        }
        Decision::Many => {
            let message = "Multiple accounts with the same email address in the same linking domain \
                           detected: default";
            Err(AuthError::unexpected(message))
        }
    }
}

/// `holders` have an identity with the address, `owner` has it as their own.
fn decide(counts: bool, holders: &[Uuid], owner: Option<Uuid>) -> Decision {
    if !counts {
        // Nobody takes an address from its owner by naming it.
        return Decision::Create { with_email: holders.is_empty() && owner.is_none() };
    }
    match (holders.split_first(), owner) {
        (Some((first, rest)), _) if rest.iter().all(|other| other == first) => Decision::Join(*first),
        (Some(_), _) => Decision::Many,
        (None, Some(owner)) => Decision::Join(owner),
        (None, None) => Decision::Create { with_email: true },
    }
}

async fn add_identity(
    tx: &mut Tx,
    user: &User,
    provider: &Provider,
    statement: Statement,
    moment: &mut Moment,
) -> Result<Identity, AuthError> {
    let failed = || AuthError::unexpected("Error creating identity");
    if statement.subject.is_empty() {
        return Err(failed());
    }
    let identity = Identity::external(moment, user, &provider.name, statement.subject, statement.data);
    if tx.add_identity(&identity).await? { Ok(identity) } else { Err(failed()) }
}

/// Takes away what nobody has proved: the password, and every identity but this one.
async fn remove_unproved(tx: &mut Tx, user: &mut User, keep: &Identity) -> Result<(), AuthError> {
    user.encrypted_password = None;
    user.user_metadata = keep.identity_data.clone();
    for identity in tx.identities(user.id).await? {
        if identity.id != keep.id {
            tx.remove_identity(identity.id).await?;
        }
    }
    user.note_providers(std::slice::from_ref(keep));
    Ok(())
}

async fn confirm(tx: &mut Tx, user: &mut User, moment: &Moment) -> Result<(), AuthError> {
    user.confirm_email(moment.now);
    tx.clear_codes(user.id, &Purpose::ALL).await?;
    Ok(())
}

async fn ask_for_proof(
    service: &Service,
    tx: &mut Tx,
    mut user: User,
    email: Option<String>,
    provider: &str,
    moment: &mut Moment,
) -> Result<Entry, AuthError> {
    let code = "provider_email_needs_verification";
    let unproved = match email {
        Some(email) => Unproved {
            message: Some(write_to_prove(service, tx, &mut user, email, moment).await?),
            error: AuthError::unprocessable(code, sent_to_prove(provider)),
        },
        None => {
            let message = format!(
                "Unverified email with {provider}. Verify the email with {provider} in order to sign in"
            );
            Unproved { message: None, error: AuthError::unprocessable(code, message) }
        }
    };
    Ok(Entry::Unproved(Box::new(unproved)))
}

fn sent_to_prove(provider: &str) -> String {
    format!("Unverified email with {provider}. A confirmation email has been sent to your {provider} email")
}

async fn write_to_prove(
    service: &Service,
    tx: &mut Tx,
    user: &mut User,
    email: String,
    moment: &mut Moment,
) -> Result<Message, AuthError> {
    let site = service.settings.read().site_url;
    let confirming = Confirming { redirect_to: &site, challenge: None };
    signup::ask_to_confirm(service, tx, user, Contact::Email(email), confirming, moment).await
}

async fn to_change(tx: &mut Tx, id: Uuid) -> Result<User, AuthError> {
    let gone = || AuthError::unprocessable("user_not_found", "Linking target user not found");
    tx.user_to_change(id).await?.ok_or_else(gone)
}

async fn save(tx: &mut Tx, user: &User, moment: &Moment) -> Result<(), AuthError> {
    let saved = tx.save_user(user, moment).await.map_err(AuthError::database("Error updating user"))?;
    if saved { Ok(()) } else { Err(AuthError::email_exists()) }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn nobody_comes_into_an_account_by_naming_its_address(
            holders in vec(0_u128..3, 0..4),
            owner in option::of(0_u128..3),
        ) {
            let holders: Vec<_> = holders.into_iter().map(Uuid::from_u128).collect();
            let owner = owner.map(Uuid::from_u128);
            let is_free = holders.is_empty() && owner.is_none();
            prop_assert_eq!(decide(false, &holders, owner), Decision::Create { with_email: is_free });
            if let Decision::Join(id) = decide(true, &holders, owner) {
                prop_assert!(holders.contains(&id) || owner == Some(id));
            }
        }
    }

    #[test]
    fn an_identity_joins_the_account_its_proved_address_belongs_to() {
        let [ana, bea] = [Uuid::from_u128(1), Uuid::from_u128(2)];
        for (counts, holders, owner, decision) in [
            (true, vec![], None, Decision::Create { with_email: true }),
            (true, vec![], Some(ana), Decision::Join(ana)),
            (true, vec![ana, ana], Some(bea), Decision::Join(ana)),
            (true, vec![ana, bea], None, Decision::Many),
            (false, vec![], None, Decision::Create { with_email: true }),
            (false, vec![ana], None, Decision::Create { with_email: false }),
            (false, vec![], Some(ana), Decision::Create { with_email: false }),
        ] {
            assert_eq!(decide(counts, &holders, owner), decision, "{counts} {holders:?} {owner:?}");
        }
    }
}
