//! Signing in without a password: keys on a device, and wallets. The device and the wallets are real.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use supabase_sdk::ErrorKind;
use supabase_sdk::auth::{Level, RelyingParty, WalletMessage, Web3};
use uuid::Uuid;

use crate::device::{Device, PAGE};
use crate::project::Project;
use crate::wallet::{Ethereum, Solana};

#[tokio::test]
async fn a_passkey_is_made_signs_in_and_is_taken_away() {
    let project = Project::embedded().await;
    let person = project.person("key").await;
    let (passkeys, mut device) = (person.client.auth().passkeys(), Device::new());
    let asked = passkeys.start_registration().await.unwrap();
    let answer = device.create(&asked.options).await;
    let made = passkeys.register(asked.challenge_id, &answer).await.unwrap();
    let again = passkeys.register(asked.challenge_id, &answer).await.unwrap_err();
    assert_eq!((again.kind(), again.code()), (ErrorKind::Invalid, Some("webauthn_challenge_not_found")));
    assert_eq!(
        passkeys.rename(made.id, "my phone").await.unwrap().friendly_name.as_deref(),
        Some("my phone")
    );

    let stranger = project.anonymous().auth().passkeys();
    let asked = stranger.start_sign_in(None).await.unwrap();
    let mut forged = device.get(&asked.options).await;
    forged["response"]["signature"] = "AAAA".into();
    let refused = stranger.sign_in(asked.challenge_id, &forged).await.unwrap_err();
    assert_eq!((refused.kind(), refused.code()), (ErrorKind::Invalid, Some("webauthn_verification_failed")));
    let asked = stranger.start_sign_in(None).await.unwrap();
    let session = stranger.sign_in(asked.challenge_id, &device.get(&asked.options).await).await.unwrap();
    assert_eq!(session.user.id, person.id);

    let listed = passkeys.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].id, listed[0].last_used_at.is_some()), (1, made.id, true));
    let admin = project.secret().auth().admin();
    assert_eq!(admin.passkeys(person.id).await.unwrap(), listed);
    let other = project.person("other").await;
    assert_eq!(other.client.auth().passkeys().remove(made.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    admin.delete_passkey(person.id, made.id).await.unwrap();
    assert_eq!(passkeys.list().await.unwrap(), []);
    assert_eq!(passkeys.remove(made.id).await.unwrap_err().kind(), ErrorKind::NotFound);
    let nobody = project.anonymous().auth().passkeys().list().await.unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test]
async fn a_device_is_a_second_factor() {
    let project = Project::embedded().await;
    let person = project.person("factor").await;
    let (mfa, mut device) = (person.client.auth().mfa(), Device::new());
    let party = || RelyingParty { rp_id: "localhost".to_owned(), rp_origins: vec![PAGE.to_owned()] };
    let factor = mfa.enroll_webauthn("key").await.unwrap();
    let asked = mfa.challenge_webauthn(&factor.id, party()).await.unwrap();
    assert_eq!(asked.kind, "create");
    let answer = device.create(&asked.options).await;
    mfa.verify_webauthn(&factor.id, &asked, &answer).await.unwrap();
    assert_eq!(mfa.assurance().await.unwrap().current, Level::Two);

    let again = project.anonymous();
    again.auth().sign_in_with_password(&person.email, &person.password).await.unwrap();
    let mfa = again.auth().mfa();
    let asked = mfa.challenge_webauthn(&factor.id, party()).await.unwrap();
    assert_eq!(asked.kind, "request");
    let mut forged = device.get(&asked.options).await;
    forged["response"]["signature"] = "AAAA".into();
    let refused = mfa.verify_webauthn(&factor.id, &asked, &forged).await.unwrap_err();
    assert_eq!(refused.code(), Some("unexpected_failure"), "as hosted");
    assert_eq!(mfa.assurance().await.unwrap().current, Level::One);
    let asked = mfa.challenge_webauthn(&factor.id, party()).await.unwrap();
    mfa.verify_webauthn(&factor.id, &asked, &device.get(&asked.options).await).await.unwrap();
    let now = mfa.assurance().await.unwrap();
    assert_eq!((now.current, now.methods[0].method.as_str()), (Level::Two, "mfa/webauthn"));
}

/// The time as a wallet's message has it, so many minutes ago.
fn time(minutes: i64) -> String {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[tokio::test]
async fn wallets_let_their_owners_in() {
    let project = Project::embedded().await;
    let (ethereum, solana) = (Ethereum::new(), Solana::new());
    let (domain, page) = ("localhost:3000", "http://localhost:3000/");
    let nonce = Uuid::new_v4().simple().to_string();
    let by_ethereum = |at: &str| {
        let message = WalletMessage::ethereum(domain, page, &ethereum.address(), 1, at);
        let text = message.statement("Let me in.").nonce(&nonce).to_string();
        Web3::ethereum(&text, &ethereum.sign(&text))
    };
    let by_solana = |at: &str| {
        let message = WalletMessage::solana(domain, page, &solana.address(), at);
        let text = message.network("solana:mainnet").resource("https://garage.test/terms").to_string();
        Web3::solana(&text, &URL_SAFE_NO_PAD.decode(solana.sign(&text)).unwrap())
    };
    let mut owners = Vec::new();
    for wallet in [by_ethereum(&time(0)), by_solana(&time(0))] {
        let session = project.anonymous().auth().sign_in_with_web3(&wallet).await.unwrap();
        assert_eq!(session.user.identities[0].provider, "web3");
        owners.push(session.user.id);
    }
    assert_ne!(owners[0], owners[1]);
    let again = project.anonymous().auth().sign_in_with_web3(&by_ethereum(&time(1))).await.unwrap();
    assert_eq!(again.user.id, owners[0], "known the next time");

    let stale = project.anonymous().auth().sign_in_with_web3(&by_solana(&time(60))).await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Invalid, "{stale}");
    let text = WalletMessage::ethereum(domain, page, &ethereum.address(), 1, &time(0)).to_string();
    let forged = Web3::ethereum(&text, &ethereum.sign("something else"));
    let forged = project.anonymous().auth().sign_in_with_web3(&forged).await.unwrap_err();
    assert_eq!(forged.kind(), ErrorKind::Invalid, "{forged}");
}
