//! What a wallet signs so that its owner is let in.
//!
//! Source: EIP-4361 (Ethereum) and its like for Solana, as GoTrue reads them (`internal/utilities/{siwe,siws}`).

use std::fmt;

/// A text that begins no line of its own.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// A text for a wallet to sign. `Display` writes it as the chain's wallets want it.
///
/// ```
/// use supabase_sdk::auth::{WalletMessage, Web3};
/// let message = WalletMessage::solana(
///     "garage.test",
///     "https://garage.test/login",
///     "6Yk4o3vVyXTHgM3mCk2PLdYD6k1eXVg3zjVzDSa3kPK5",
///     "2026-11-24T10:00:00Z",
/// )
/// .statement("Let me in.");
/// let text = message.to_string();
/// # let sign = |_: &str| [0_u8; 64];
/// let question = Web3::solana(&text, &sign(&text));
/// assert!(text.starts_with("garage.test wants you to sign in with your Solana account:\n"));
/// ```
#[derive(Debug, Clone)]
#[must_use = "this is only a text"]
pub struct WalletMessage {
    chain: &'static str,
    domain: String,
    uri: String,
    address: String,
    issued_at: String,
    statement: Option<String>,
    /// What may follow, in the order it is written.
    chain_id: Option<String>,
    nonce: Option<String>,
    expires: Option<String>,
    not_before: Option<String>,
    request_id: Option<String>,
    resources: Vec<String>,
}

impl WalletMessage {
    /// For an Ethereum wallet: who asks, as host and address, the account's address, the chain's number and
    /// the time as RFC 3339 has it.
    pub fn ethereum(domain: &str, uri: &str, address: &str, chain_id: u64, issued_at: &str) -> Self {
        let message = Self::new("Ethereum", domain, uri, address, issued_at);
        Self { chain_id: Some(chain_id.to_string()), ..message }
    }

    /// For a Solana wallet: as [`WalletMessage::ethereum`].
    pub fn solana(domain: &str, uri: &str, address: &str, issued_at: &str) -> Self {
        Self::new("Solana", domain, uri, address, issued_at)
    }

    fn new(chain: &'static str, domain: &str, uri: &str, address: &str, issued_at: &str) -> Self {
        Self {
            chain,
            domain: line(domain),
            uri: line(uri),
            address: line(address),
            issued_at: line(issued_at),
            statement: None,
            chain_id: None,
            nonce: None,
            expires: None,
            not_before: None,
            request_id: None,
            resources: Vec::new(),
        }
    }

    /// What the person reads before they sign. It stands on one line.
    pub fn statement(mut self, text: &str) -> Self {
        self.statement = Some(line(text));
        self
    }

    /// The network of a Solana wallet: `solana:mainnet`, `solana:devnet` and so on.
    pub fn network(mut self, name: &str) -> Self {
        self.chain_id = Some(line(name));
        self
    }

    /// A number that is used once, of at least eight letters and digits.
    pub fn nonce(mut self, nonce: &str) -> Self {
        self.nonce = Some(line(nonce));
        self
    }

    /// From when, and until when, it is good, as RFC 3339 has it.
    pub fn valid(mut self, not_before: Option<&str>, until: Option<&str>) -> Self {
        (self.not_before, self.expires) = (not_before.map(line), until.map(line));
        self
    }

    /// The app's own name for the request.
    pub fn request_id(mut self, id: &str) -> Self {
        self.request_id = Some(line(id));
        self
    }

    /// An address that is part of what is agreed to.
    pub fn resource(mut self, uri: &str) -> Self {
        self.resources.push(line(uri));
        self
    }
}

impl fmt::Display for WalletMessage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} wants you to sign in with your {} account:", self.domain, self.chain)?;
        writeln!(out, "{}\n", self.address)?;
        match &self.statement {
            Some(statement) => writeln!(out, "{statement}\n")?,
            None => writeln!(out)?,
        }
        write!(out, "URI: {}\nVersion: 1", self.uri)?;
        let more = [
            ("Chain ID", &self.chain_id),
            ("Nonce", &self.nonce),
            ("Issued At", &Some(self.issued_at.clone())),
            ("Expiration Time", &self.expires),
            ("Not Before", &self.not_before),
            ("Request ID", &self.request_id),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                write!(out, "\n{name}: {value}")?;
            }
        }
        if !self.resources.is_empty() {
            write!(out, "\nResources:")?;
            self.resources.iter().try_for_each(|resource| write!(out, "\n- {resource}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_written_as_its_standard_says() {
        // The example of EIP-4361, less its scheme.
        let text = WalletMessage::ethereum(
            "example.com",
            "https://example.com/login",
            "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
            1,
            "2021-09-30T16:25:24Z",
        )
        .statement("I accept the ExampleOrg Terms of Service: https://example.com/tos")
        .nonce("32891756")
        .resource("ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/")
        .resource("https://example.com/my-web2-claim.json")
        .to_string();
        assert_eq!(
            text,
            "example.com wants you to sign in with your Ethereum account:\n\
             0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n\n\
             I accept the ExampleOrg Terms of Service: https://example.com/tos\n\n\
             URI: https://example.com/login\n\
             Version: 1\n\
             Chain ID: 1\n\
             Nonce: 32891756\n\
             Issued At: 2021-09-30T16:25:24Z\n\
             Resources:\n\
             - ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n\
             - https://example.com/my-web2-claim.json"
        );
    }

    #[test]
    fn nothing_in_it_begins_a_line_of_its_own() {
        let text =
            WalletMessage::solana("a\nURI: evil", "u", "x\r\ny", "t").statement("b\nNonce: 1").to_string();
        assert_eq!(text.matches("URI:").count(), 2);
        assert!(!text.contains("\nURI: evil") && !text.contains("\nNonce"), "{text}");
    }
}
