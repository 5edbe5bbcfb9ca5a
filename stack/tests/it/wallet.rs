//! Wallets, written apart from the service. The tests of the SDK use them too.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer as _;
use k256::ecdsa::SigningKey;
use sha3::{Digest as _, Keccak256};

/// A wallet on Ethereum; written apart from the service.
pub(crate) struct Ethereum(SigningKey);

/// A wallet on Solana.
pub(crate) struct Solana(ed25519_dalek::SigningKey);

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Ethereum {
    pub(crate) fn new() -> Self {
        Self(SigningKey::from_slice(&[7; 32]).unwrap())
    }

    pub(crate) fn address(&self) -> String {
        let point = self.0.verifying_key().to_sec1_point(false);
        format!("0x{}", hexadecimal(&Keccak256::digest(&point.as_bytes()[1..])[12..]))
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        let digest = Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{text}", text.len()));
        let (signature, recovery) = self.0.sign_prehash_recoverable(&digest);
        format!("0x{}{:02x}", hexadecimal(&signature.to_bytes()), recovery.to_byte() + 27)
    }
}

impl Solana {
    pub(crate) fn new() -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&[7; 32]))
    }

    pub(crate) fn address(&self) -> String {
        bs58::encode(self.0.verifying_key().to_bytes()).into_string()
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.sign(text.as_bytes()).to_bytes())
    }
}
