//! What a wallet signs: a text that says where to sign in, as whom and until when.
//!
//! EIP-4361 for Ethereum and its likeness for Solana. An Ethereum address is the digest of the key
//! that signed, which is recovered from the signature; a Solana address is the key. Pure.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha3::{Digest as _, Keccak256};
use url::{Host, Url};

use super::{address::authority, settings::Settings};

/// How long after it was written a message is good, and how far a clock may be ahead. The hosted
/// default.
const GOOD_FOR: TimeDelta = TimeDelta::minutes(10);

/// The chains somebody can have a wallet on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chain {
    Ethereum,
    Solana,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) domain: String,
    /// In small letters, where letters are all that differs.
    pub(super) address: String,
    pub(super) statement: Option<String>,
    pub(super) uri: String,
    pub(super) chain_id: String,
    issued_at: DateTime<Utc>,
    expiration_time: Option<DateTime<Utc>>,
    not_before: Option<DateTime<Utc>>,
}

impl Chain {
    pub(super) fn of(written: &str) -> Option<Self> {
        match written {
            "ethereum" => Some(Self::Ethereum),
            "solana" => Some(Self::Solana),
            _ => None,
        }
    }

    /// As requests call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ethereum => "ethereum",
            Self::Solana => "solana",
        }
    }

    /// As people call it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Ethereum => "Ethereum",
            Self::Solana => "Solana",
        }
    }

    /// What a refusal begins with.
    fn standard(self) -> &'static str {
        match self {
            Self::Ethereum => "siwe",
            Self::Solana => "siws",
        }
    }

    /// A signature in the form its wallets have it.
    pub(super) fn signature(self, written: &str) -> Result<Vec<u8>, &'static str> {
        match self {
            Self::Ethereum => {
                let digits = written.strip_prefix("0x").unwrap_or(written);
                let wrong =
                    "signature must be 65 bytes long, encoded as a 130 character-long hexadecimal string";
                if digits.len() == 130 { hexadecimal(digits).ok_or(wrong) } else { Err(wrong) }
            }
            Self::Solana if written.len() != 86 && written.len() != 88 => {
                Err("signature must be 64 bytes encoded as base64 with or without padding")
            }
            Self::Solana => {
                let written = written.trim_end_matches('=').replace('+', "-").replace('/', "_");
                let wrong = "signature does not contain valid base64 characters";
                URL_SAFE_NO_PAD.decode(written).map_err(|_| wrong)
            }
        }
    }

    /// Whether the owner of the address has signed this.
    pub(super) fn has_signed(self, address: &str, message: &str, signature: &[u8]) -> bool {
        match self {
            Self::Ethereum => signer(message, signature).is_some_and(|signer| signer == address),
            Self::Solana => {
                let key = bs58::decode(address).into_vec().ok().and_then(|key| key.try_into().ok());
                let key = key.and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(&key).ok());
                let signature = ed25519_dalek::Signature::from_slice(signature).ok();
                key.zip(signature)
                    .is_some_and(|(key, signature)| key.verify_strict(message.as_bytes(), &signature).is_ok())
            }
        }
    }

    fn is_address(self, written: &str) -> bool {
        match self {
            Self::Ethereum => written
                .strip_prefix("0x")
                .is_some_and(|digits| digits.len() == 40 && digits.bytes().all(|d| d.is_ascii_hexdigit())),
            Self::Solana => {
                (32..=44).contains(&written.len()) && written.bytes().all(|b| b.is_ascii_alphanumeric())
            }
        }
    }

    fn is_network(self, written: &str) -> bool {
        match self {
            Self::Ethereum => written.parse().is_ok_and(|number: i64| number > 0),
            Self::Solana => {
                written.is_empty()
                    || ["solana:mainnet", "solana:devnet", "solana:testnet", "solana:localnet"]
                        .contains(&written)
            }
        }
    }
}

impl Message {
    /// Reads a message, or says what is wrong about it.
    pub(super) fn read(chain: Chain, raw: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{}: {what}", chain.standard());
        let lines: Vec<&str> = raw.split('\n').collect();
        let [first, second, third, rest @ ..] = lines.as_slice() else {
            return Err(wrong("message needs at least 6 lines"));
        };
        if rest.len() < 3 {
            return Err(wrong("message needs at least 6 lines"));
        }
        let ending = format!(" wants you to sign in with your {} account:", chain.title());
        let domain = first
            .strip_suffix(&ending)
            .ok_or_else(|| wrong(&format!("message first line does not end in {ending:?}")))?
            .trim();
        if !is_domain(domain) {
            return Err(wrong("domain in first line of message is not valid"));
        }
        let address = second.trim();
        if !chain.is_address(address) {
            return Err(wrong(match chain {
                Chain::Ethereum => "wallet address is not a valid Ethereum address",
                Chain::Solana => "wallet address is not in base58 format",
            }));
        }
        if !third.is_empty() {
            return Err(wrong("third line must be empty"));
        }
        let has_statement = !rest[0].is_empty() && rest[1].is_empty();
        let fields = Fields::read(chain, &rest[if has_statement { 2 } else { 0 }..])?;
        fields.check().map_err(|what| wrong(&what))?;
        let issued_at = fields.issued_at.ok_or_else(|| wrong("Issued At is not specified"))?;
        let uri = fields.uri.ok_or_else(|| wrong("URI is not specified"))?;
        Ok(Self {
            domain: domain.to_owned(),
            address: match chain {
                Chain::Ethereum => address.to_ascii_lowercase(),
                Chain::Solana => address.to_owned(),
            },
            statement: has_statement.then(|| rest[0].to_owned()),
            uri,
            chain_id: fields.chain_id,
            issued_at,
            expiration_time: fields.expiration_time,
            not_before: fields.not_before,
        })
    }

    /// Whether it was written for this project and is good now, or else why not.
    pub(super) fn check(&self, chain: Chain, settings: &Settings, now: DateTime<Utc>) -> Result<(), String> {
        let title = chain.title();
        let uri = Url::parse(&self.uri).map_err(|_| format!("Signed {title} message has no URI"))?;
        let is_local = uri.host() == Some(Host::Domain("localhost"));
        if uri.scheme() != "https" && !is_local {
            return Err(format!("Signed {title} message is using URI which does not use HTTPS"));
        }
        if !settings.admits(&self.uri) {
            return Err(format!(
                "Signed {title} message is using URI which is not allowed on this server, message was \
                 signed for another app"
            ));
        }
        let is_ours =
            authority(&self.uri) == self.domain && settings.admits(&format!("https://{}/", self.domain));
        if !is_local && !is_ours {
            return Err(format!(
                "Signed {title} message is using a Domain that does not match the one in URI which is not \
                 allowed on this server"
            ));
        }
        if self.not_before.is_some_and(|from| now < from) {
            return Err(format!("Signed {title} message becomes valid in the future"));
        }
        if self.expiration_time.is_some_and(|end| now > end) {
            return Err(format!("Signed {title} message is expired"));
        }
        if now - self.issued_at > GOOD_FOR {
            return Err(format!("{title} message was issued too long ago"));
        }
        if self.issued_at - now > GOOD_FOR {
            return Err(format!("{title} message was issued too far in the future"));
        }
        Ok(())
    }
}

/// The lines with names in front.
#[derive(Debug, Default)]
struct Fields {
    uri: Option<String>,
    version: String,
    chain_id: String,
    issued_at: Option<DateTime<Utc>>,
    expiration_time: Option<DateTime<Utc>>,
    not_before: Option<DateTime<Utc>>,
}

impl Fields {
    fn read(chain: Chain, lines: &[&str]) -> Result<Self, String> {
        let wrong = |what: &str| format!("{}: {what}", chain.standard());
        let mut fields = Self::default();
        let mut resources = None;
        for line in lines.iter().map(|line| line.trim()) {
            if let (Some(count), Some(resource)) = (resources, line.strip_prefix("- ")) {
                if Url::parse(resource.trim()).is_err() {
                    return Err(wrong(&format!("Resource at position {count} has invalid URI")));
                }
                resources = Some(count + 1);
                continue;
            }
            resources = (line == "Resources:").then_some(0);
            if line.is_empty() || resources.is_some() {
                continue;
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| wrong(&format!("encountered unparsable line {line:?}")))?;
            let value = value.trim();
            let time = || {
                let read = DateTime::parse_from_rfc3339(value).map(|time| time.to_utc());
                read.map(Some).map_err(|_| wrong(&format!("{name} is not a valid ISO8601 timestamp")))
            };
            match name {
                "URI" if Url::parse(value).is_err() => return Err(wrong("URI is not valid")),
                "URI" => fields.uri = Some(value.to_owned()),
                "Version" => value.clone_into(&mut fields.version),
                "Chain ID" if !chain.is_network(value) => return Err(wrong("Chain ID is not valid")),
                "Chain ID" => value.clone_into(&mut fields.chain_id),
                "Issued At" => fields.issued_at = time()?,
                "Expiration Time" => fields.expiration_time = time()?,
                "Not Before" => fields.not_before = time()?,
                _ => {} // a nonce, an id, or what a wallet adds: whoever asked knows them
            }
        }
        Ok(fields)
    }

    fn check(&self) -> Result<(), String> {
        if self.version != "1" {
            return Err(format!("Version value is not supported, expected 1 got {:?}", self.version));
        }
        let is_after = |first: Option<DateTime<Utc>>, second| first.zip(second).is_some_and(|(a, b)| a > b);
        if is_after(self.issued_at, self.expiration_time) {
            return Err("Issued At is after Expiration Time".to_owned());
        }
        if is_after(self.not_before, self.expiration_time) {
            return Err("Not Before is after Expiration Time".to_owned());
        }
        Ok(())
    }
}

/// The Ethereum address of whoever signed a message.
fn signer(message: &str, signature: &[u8]) -> Option<String> {
    let (v, r_and_s) = signature.split_last()?;
    let recovery = RecoveryId::from_byte(if *v >= 27 { v - 27 } else { *v })?;
    let signature = Signature::from_slice(r_and_s).ok()?;
    let digest = Keccak256::new()
        .chain_update(format!("\x19Ethereum Signed Message:\n{}", message.len()))
        .chain_update(message)
        .finalize();
    let key = VerifyingKey::recover_from_prehash(&digest, &signature, recovery).ok()?;
    Some(address_of(&key))
}

fn address_of(key: &VerifyingKey) -> String {
    let point = key.to_sec1_point(false);
    // An uncompressed point begins with a byte that says so.
    let digest = Keccak256::digest(point.as_bytes().get(1..).unwrap_or_default());
    let digits: String = digest[12..].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("0x{digits}")
}

fn hexadecimal(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digits.as_bytes().chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

/// A name with dots, or `localhost`, and perhaps a port.
fn is_domain(written: &str) -> bool {
    let (host, port) = match written.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (written, None),
    };
    let is_port = |port: &str| (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let is_name = match host.rsplit_once('.') {
        Some((names, top)) => {
            names.split('.').all(is_label) && top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic())
        }
        None => host == "localhost",
    };
    is_name && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::Signer as _;
    use k256::ecdsa::SigningKey;
    use proptest::prelude::*;

    use super::*;

    const ADDRESS: &str = "0x742d35Cc6635C0532925a3b8D53d6e8b3f56ddF1";

    fn message(chain: Chain, address: &str, lines: &str) -> String {
        format!(
            "example.com wants you to sign in with your {} account:\n{address}\n\nHello\n\n{lines}",
            chain.title()
        )
    }

    fn good() -> String {
        "Version: 1\nURI: https://example.com/in\nChain ID: 1\nIssued At: 2026-01-01T00:00:00Z".to_owned()
    }

    fn settings() -> Settings {
        Settings { site_url: "https://example.com".to_owned(), ..Settings::default() }
    }

    #[test]
    fn a_message_is_read_line_by_line() {
        let lines = format!("{}\nNonce: 12345678\nResources:\n- https://a.example\n- ipfs://b", good());
        let read = Message::read(Chain::Ethereum, &message(Chain::Ethereum, ADDRESS, &lines)).unwrap();
        assert_eq!(read.domain, "example.com");
        assert_eq!(read.address, ADDRESS.to_lowercase());
        assert_eq!(read.statement.as_deref(), Some("Hello"));
        assert_eq!((read.uri.as_str(), read.chain_id.as_str()), ("https://example.com/in", "1"));
        let bare = message(Chain::Ethereum, ADDRESS, &good()).replace("Hello\n\n", "");
        assert_eq!(Message::read(Chain::Ethereum, &bare).unwrap().statement, None);
    }

    #[test]
    fn what_is_wrong_about_a_message_is_said() {
        let lines = |lines: &str| message(Chain::Ethereum, ADDRESS, lines);
        for (raw, complaint) in [
            (String::new(), "siwe: message needs at least 6 lines"),
            ("a b\n\n\n\n\n\n".to_owned(), "siwe: message first line"),
            (lines(&good()).replacen("example.com", "***", 1), "siwe: domain in first line"),
            (message(Chain::Ethereum, "0x12", &good()), "siwe: wallet address"),
            (lines(&good()).replacen("\n\nHello", "\nhere\nHello", 1), "siwe: third line must be empty"),
            (lines("Not Parsable\n"), "siwe: encountered unparsable line"),
            (lines("Version: 2\nURI: https://a.b"), "siwe: Version value is not supported"),
            (lines("Version: 1\nURI: ***"), "siwe: URI is not valid"),
            (lines("Version: 1\nIssued At: soon"), "siwe: Issued At is not a valid"),
            (lines("Version: 1\nChain ID: 0"), "siwe: Chain ID is not valid"),
            (lines("Version: 1\nURI: https://a.b"), "siwe: Issued At is not specified"),
            (lines("Version: 1\nIssued At: 2026-01-01T00:00:00Z"), "siwe: URI is not specified"),
            (lines(&format!("{}\nResources:\n- no", good())), "siwe: Resource at position 0"),
            (
                lines(&format!("{}\nExpiration Time: 2025-01-01T00:00:00Z", good())),
                "siwe: Issued At is after Expiration Time",
            ),
        ] {
            let said = Message::read(Chain::Ethereum, &raw).unwrap_err();
            assert!(said.starts_with(complaint), "{said} is not {complaint}");
        }
    }

    #[test]
    fn a_message_is_good_here_and_now_only() {
        let issued: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let check = |lines: &str, now: DateTime<Utc>| {
            let raw = message(Chain::Ethereum, ADDRESS, lines);
            Message::read(Chain::Ethereum, &raw).unwrap().check(Chain::Ethereum, &settings(), now)
        };
        assert_eq!(check(&good(), issued), Ok(()));
        assert_eq!(check(&good(), issued + GOOD_FOR), Ok(()));
        let elsewhere = |uri: &str| good().replace("https://example.com/in", uri);
        let local = elsewhere("http://localhost:3000/");
        assert_eq!(check(&local, issued), Ok(()), "whatever the domain is");
        for (lines, now, complaint) in [
            (good(), issued + GOOD_FOR * 2, "too long ago"),
            (good(), issued - GOOD_FOR * 2, "too far in the future"),
            (format!("{}\nExpiration Time: 2026-01-01T00:01:00Z", good()), issued + GOOD_FOR, "expired"),
            (format!("{}\nNot Before: 2026-01-01T00:01:00Z", good()), issued, "becomes valid in the future"),
            (elsewhere("http://example.com/"), issued, "does not use HTTPS"),
            (elsewhere("https://example.org/"), issued, "signed for another app"),
            (elsewhere("https://example.com:443/"), issued, "does not match the one in URI"),
        ] {
            let said = check(&lines, now).unwrap_err();
            assert!(said.contains(complaint), "{said} is not {complaint}");
        }
    }

    #[test]
    fn only_the_owner_of_the_address_has_signed() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let address = address_of(key.verifying_key());
        let text = "whatever it says";
        let digest = Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{text}", text.len()));
        let (signature, recovery) = key.sign_prehash_recoverable(&digest);
        for v in [recovery.to_byte(), recovery.to_byte() + 27] {
            let signature = [signature.to_bytes().as_slice(), &[v]].concat();
            assert!(Chain::Ethereum.has_signed(&address, text, &signature));
            assert!(!Chain::Ethereum.has_signed(&address, "something else", &signature));
            assert!(!Chain::Ethereum.has_signed(&ADDRESS.to_lowercase(), text, &signature));
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&[7; 32]);
        let address = bs58::encode(key.verifying_key().to_bytes()).into_string();
        let signature = key.sign(text.as_bytes()).to_bytes();
        assert!(Chain::Solana.has_signed(&address, text, &signature));
        assert!(!Chain::Solana.has_signed(&address, "something else", &signature));
    }

    #[test]
    fn an_address_is_the_one_every_wallet_shows() {
        // The first account of the mnemonic that development chains begin with.
        let key = hexadecimal("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80").unwrap();
        let key = SigningKey::from_slice(&key).unwrap();
        assert_eq!(address_of(key.verifying_key()), "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266");
    }

    proptest! {
        #[test]
        fn no_input_is_too_strange_to_be_refused(raw: String, address: String, signature: Vec<u8>) {
            for chain in [Chain::Ethereum, Chain::Solana] {
                prop_assert!(Message::read(chain, &raw).is_err());
                prop_assert!(!chain.has_signed(&address, &raw, &signature));
                let _ = chain.signature(&raw);
            }
        }

        #[test]
        fn strange_lines_never_panic(lines in "(URI|Version|Chain ID|Issued At|Resources|- |:|\n|[a-z0-9:/.]| ){0,40}") {
            for chain in [Chain::Ethereum, Chain::Solana] {
                let _ = Message::read(chain, &message(chain, ADDRESS, &lines));
            }
        }
    }
}
