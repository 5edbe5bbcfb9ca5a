//! What the auth service promises about wallets.

use chrono::{SecondsFormat, TimeDelta, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    service::{Lab, Project, Reply},
    service_auth::{claims, post, refusal},
    wallet::{Ethereum, Solana},
};

/// A message as auth-js writes it, made so many minutes ago.
fn message(chain: &str, address: &str, page: &str, minutes: i64) -> String {
    let at = (Utc::now() - TimeDelta::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Millis, true);
    format!(
        "localhost:3000 wants you to sign in with your {chain} account:\n{address}\n\nI agree\n\n\
         URI: {page}\nVersion: 1\n{}Nonce: 12345678\nIssued At: {at}",
        if chain == "Ethereum" { "Chain ID: 1\n" } else { "" }
    )
}

async fn show(project: &Project, chain: &str, message: &str, signature: &str) -> Reply {
    let body = json!({"chain": chain, "message": message, "signature": signature});
    post(project, "/token?grant_type=web3", body).await
}

fn oauth(error: &str, description: &str) -> Value {
    json!({"error": error, "error_description": description})
}

const PAGE: &str = "http://localhost:3000/";

#[tokio::test]
async fn a_wallet_signs_in_and_is_known_the_next_time() {
    let project = Lab::project("").await;
    let wallet = Ethereum::new();
    let text = message("Ethereum", &wallet.address(), PAGE, 0);
    let session = show(&project, "ethereum", &text, &wallet.sign(&text)).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let session = session.json();
    assert_eq!(claims(session["access_token"].as_str().unwrap())["amr"][0]["method"], "web3");
    let user = &session["user"];
    assert_eq!((&user["email"], &user["is_anonymous"]), (&json!(""), &json!(false)));
    assert_eq!(user["app_metadata"], json!({"provider": "web3", "providers": ["web3"]}));
    let identity = &user["identities"][0];
    assert_eq!(identity["provider"], "web3");
    assert_eq!(identity["id"], format!("web3:ethereum:{}", wallet.address()));
    let expected = json!({
        "address": wallet.address(), "chain": "ethereum", "network": "1", "domain": "localhost:3000",
        "statement": "I agree",
    });
    assert_eq!(identity["identity_data"]["custom_claims"], expected);
    assert_eq!(user["user_metadata"]["custom_claims"], expected);
    let shouting = format!("0x{}", wallet.address()[2..].to_uppercase());
    let text = message("Ethereum", &shouting, PAGE, 0);
    let again = show(&project, "ethereum", &text, &wallet.sign(&text)).await.json();
    assert_eq!(again["user"]["id"], user["id"], "however the address is written");
    assert_eq!(project.text("select count(*) from auth.identities").await, "1");
}

#[tokio::test]
async fn a_wallet_on_solana_signs_in_too() {
    let project = Lab::project("").await;
    let wallet = Solana::new();
    let text = message("Solana", &wallet.address(), PAGE, 0);
    let session = show(&project, "solana", &text, &wallet.sign(&text)).await;
    assert_eq!(session.status, StatusCode::OK, "{}", session.body);
    let identity = session.json()["user"]["identities"][0].clone();
    assert_eq!(identity["id"], format!("web3:solana:{}", wallet.address()));
    assert_eq!(identity["identity_data"]["custom_claims"]["network"], "");
}

#[tokio::test]
async fn a_message_that_is_not_for_here_and_now_is_refused() {
    let project = Lab::project("").await;
    let wallet = Ethereum::new();
    let address = wallet.address();
    for (page, minutes, description) in [
        (PAGE, 11, "Ethereum message was issued too long ago"),
        (PAGE, -11, "Ethereum message was issued too far in the future"),
        ("http://example.com/", 0, "Signed Ethereum message is using URI which does not use HTTPS"),
        (
            "https://example.com/",
            0,
            "Signed Ethereum message is using URI which is not allowed on this server, message was signed \
             for another app",
        ),
    ] {
        let text = message("Ethereum", &address, page, minutes);
        let refused = show(&project, "ethereum", &text, &wallet.sign(&text)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert_eq!(refused.json(), oauth("invalid_grant", description));
    }
    let text = message("Ethereum", &address, PAGE, 0);
    let other = wallet.sign("another message");
    let refused = show(&project, "ethereum", &text, &other).await;
    assert_eq!(refused.json(), oauth("invalid_grant", "Signature does not match address in message"));
    for (chain, text, signature, expected) in [
        ("bitcoin", text.as_str(), other.as_str(), refusal(400, "web3_unsupported_chain")),
        ("ethereum", "short", &other, refusal(400, "validation_failed")),
        ("ethereum", &text, "0x12", refusal(400, "validation_failed")),
        ("ethereum", &"x".repeat(100), &other, refusal(400, "validation_failed")),
        ("solana", &text, &"!".repeat(86), refusal(400, "validation_failed")),
    ] {
        assert_eq!(show(&project, chain, text, signature).await.refusal(), expected, "{chain}");
    }
    project.set_auth(&json!({"web3_ethereum": false})).await;
    let off = show(&project, "ethereum", &text, &wallet.sign(&text)).await;
    assert_eq!(off.refusal(), refusal(422, "web3_provider_disabled"));
    assert_eq!(project.text("select count(*) from auth.users").await, "0");
}
