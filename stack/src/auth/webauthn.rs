//! WebAuthn, the relying party's half: what an authenticator is asked, and whether its answer holds.
//!
//! An answer holds if it is for the challenge, from a page that may ask, for our domain, by
//! somebody who was there, and signed with the key that was registered. Keys are ES256, EdDSA and
//! RS256. Who built an authenticator is asked by nobody here, so an attestation may be there and is
//! not looked into. A counter that does not go on means that a key was copied: refused.
//!
//! Pure: challenges, the time and what is known of a key come in. No input may panic.

use std::io::Cursor;

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::URL_SAFE_NO_PAD},
};
use ciborium::Value as Cbor;
use p256::ecdsa::signature::Verifier as _;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;
use uuid::Uuid;

/// How long a person may take, in milliseconds.
const TIMEOUT: u32 = 300_000;
/// Key types and signatures, as COSE numbers them.
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who asks: a domain, and the pages that may speak for it.
#[derive(Debug, Clone)]
pub(super) struct RelyingParty {
    pub(super) id: String,
    pub(super) name: String,
    /// None: every page of the domain.
    pub(super) origins: Vec<String>,
}

/// A question put to an authenticator, as it is kept until the answer comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ceremony {
    challenge: Bytes,
    #[serde(rename = "rpId")]
    rp_id: String,
    /// Whose key it is to be; unknown while nobody is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<Base64>,
    /// The keys that may answer; none: any of theirs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    allowed_credentials: Vec<Base64>,
    #[serde(default, rename = "userVerification")]
    user_verification: String,
}

/// Who a key is made for, as the authenticator shows them.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) display_name: String,
}

/// A key, as it is known once it is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) id: Vec<u8>,
    /// As the authenticator wrote it: COSE.
    pub(super) public_key: Vec<u8>,
    pub(super) attestation: String,
    pub(super) aaguid: Uuid,
    pub(super) counter: u32,
    pub(super) transports: Vec<String>,
    /// It may be copied to other devices of its owner, and it is.
    pub(super) backup_eligible: bool,
    pub(super) backed_up: bool,
    pub(super) verified: bool,
}

/// What `navigator.credentials.create()` gave, as JSON.
#[derive(Debug, Deserialize)]
pub(super) struct Registration {
    #[serde(rename = "rawId")]
    raw_id: Bytes,
    #[serde(rename = "type")]
    kind: String,
    response: AttestationResponse,
}

#[derive(Debug, Deserialize)]
struct AttestationResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    #[serde(rename = "attestationObject")]
    attestation: Bytes,
    #[serde(default)]
    transports: Vec<String>,
}

/// What `navigator.credentials.get()` gave, as JSON.
#[derive(Debug, Deserialize)]
pub(super) struct Assertion {
    #[serde(rename = "rawId")]
    raw_id: Bytes,
    #[serde(rename = "type")]
    kind: String,
    response: AssertionResponse,
}

#[derive(Debug, Deserialize)]
struct AssertionResponse {
    #[serde(rename = "clientDataJSON")]
    client_data: Bytes,
    #[serde(rename = "authenticatorData")]
    authenticator_data: Bytes,
    signature: Bytes,
    #[serde(default, rename = "userHandle")]
    user_handle: Option<Bytes>,
}

/// What the browser says it did.
#[derive(Debug, Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: Bytes,
    origin: String,
}

/// What the authenticator says it did.
struct AuthenticatorData<'a> {
    flags: u8,
    counter: u32,
    /// The key it made: AAGUID, id and COSE.
    made: Option<(Uuid, &'a [u8], &'a [u8])>,
}

/// Why an answer does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It can not be read.
    Malformed,
    /// For another question, or another kind of question.
    Question,
    /// From a page that may not ask, or for another domain.
    Origin,
    /// Nobody was there, or they were not verified though they had to be.
    Presence,
    /// Another key than the one asked for, or somebody else's.
    Credential,
    /// Of a kind that was not asked for.
    Algorithm,
    Signature,
    /// It was used elsewhere in the meantime, by a copy.
    Counter,
}

/// Bytes that JSON holds as base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bytes(Vec<u8>);

/// Bytes that JSON holds as base64.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Base64(Vec<u8>);

impl RelyingParty {
    /// Whether a page may ask for a key of this domain.
    fn admits(&self, origin: &str) -> bool {
        if !self.origins.is_empty() {
            // An application that is no page has an origin that is no address: as it stands, then.
            return self.origins.iter().any(|known| known == origin || same_origin(known, origin));
        }
        let Ok(page) = Url::parse(origin) else { return false };
        let Some(host) = page.host_str() else { return false };
        let ours = host == self.id || host.strip_suffix(&self.id).is_some_and(|sub| sub.ends_with('.'));
        ours && (page.scheme() == "https" || (page.scheme() == "http" && self.id == "localhost"))
    }
}

impl Ceremony {
    /// Begins to make a key for somebody.
    pub(super) fn create(party: &RelyingParty, challenge: [u8; 32], owner: &Owner) -> Self {
        Self {
            challenge: Bytes(challenge.to_vec()),
            rp_id: party.id.clone(),
            user_id: Some(Base64(handle(owner.id))),
            allowed_credentials: Vec::new(),
            user_verification: "preferred".to_owned(),
        }
    }

    /// Begins to ask one of these keys, or if there are none any.
    pub(super) fn request(
        party: &RelyingParty,
        challenge: [u8; 32],
        owner: Option<Uuid>,
        keys: &[Credential],
    ) -> Self {
        Self {
            challenge: Bytes(challenge.to_vec()),
            rp_id: party.id.clone(),
            user_id: owner.map(|owner| Base64(handle(owner))),
            allowed_credentials: keys.iter().map(|key| Base64(key.id.clone())).collect(),
            user_verification: "preferred".to_owned(),
        }
    }

    /// What `navigator.credentials.create()` is asked: `known` are keys not to be made again.
    pub(super) fn creation_options(
        &self,
        party: &RelyingParty,
        owner: &Owner,
        known: &[Credential],
        is_passkey: bool,
    ) -> Value {
        let algorithms = [ES256, EDDSA, RS256].map(|alg| json!({"type": "public-key", "alg": alg}));
        let mut options = json!({
            "rp": {"name": party.name, "id": self.rp_id},
            "user": {
                "name": owner.name, "displayName": owner.display_name,
                "id": URL_SAFE_NO_PAD.encode(handle(owner.id)),
            },
            "challenge": self.challenge,
            "pubKeyCredParams": algorithms,
            "timeout": TIMEOUT,
            "authenticatorSelection": {"userVerification": self.user_verification},
        });
        if !known.is_empty() {
            options["excludeCredentials"] = known.iter().map(descriptor).collect();
        }
        if is_passkey {
            options["attestation"] = json!("none");
            options["authenticatorSelection"]["requireResidentKey"] = json!(true);
            options["authenticatorSelection"]["residentKey"] = json!("required");
        }
        options
    }

    /// What `navigator.credentials.get()` is asked.
    pub(super) fn request_options(&self, keys: &[Credential]) -> Value {
        let mut options = json!({
            "challenge": self.challenge, "timeout": TIMEOUT, "rpId": self.rp_id,
            "userVerification": self.user_verification,
        });
        if !keys.is_empty() {
            options["allowCredentials"] = keys.iter().map(descriptor).collect();
        }
        options
    }

    /// The key that was made, if it was made as asked.
    pub(super) fn register(&self, party: &RelyingParty, answer: Registration) -> Result<Credential, Flaw> {
        let Registration { raw_id, kind, response } = answer;
        let AttestationResponse { client_data, attestation, transports } = response;
        self.check_client(party, &kind, "webauthn.create", &client_data)?;
        let Ok(Cbor::Map(fields)) = ciborium::from_reader(attestation.0.as_slice()) else {
            return Err(Flaw::Malformed);
        };
        let field = |name: &str| fields.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, v)| v);
        let format = field("fmt").and_then(Cbor::as_text).ok_or(Flaw::Malformed)?;
        let data = field("authData").and_then(Cbor::as_bytes).ok_or(Flaw::Malformed)?;
        let said = self.check_authenticator(data)?;
        let (aaguid, id, public_key) = said.made.ok_or(Flaw::Malformed)?;
        if id != raw_id.0 || id.is_empty() || id.len() > 1023 {
            return Err(Flaw::Credential);
        }
        Key::read(public_key)?;
        Ok(Credential {
            id: id.to_vec(),
            public_key: public_key.to_vec(),
            attestation: format.to_owned(),
            aaguid,
            counter: said.counter,
            transports,
            backup_eligible: said.is_backup_eligible(),
            backed_up: said.is_backed_up(),
            verified: said.is_verified(),
        })
    }

    /// The key that answered, as it is known from now on.
    pub(super) fn authenticate(
        &self,
        party: &RelyingParty,
        answer: &Assertion,
        keys: &[Credential],
    ) -> Result<Credential, Flaw> {
        let Assertion { raw_id, kind, response } = answer;
        self.check_client(party, kind, "webauthn.get", &response.client_data)?;
        let allowed = &self.allowed_credentials;
        if !allowed.is_empty() && !allowed.iter().any(|allowed| allowed.0 == raw_id.0) {
            return Err(Flaw::Credential);
        }
        if let (Some(owner), Some(shown)) = (&self.user_id, &response.user_handle)
            && owner.0 != shown.0
        {
            return Err(Flaw::Credential);
        }
        let key = keys.iter().find(|key| key.id == raw_id.0).ok_or(Flaw::Credential)?;
        let said = self.check_authenticator(&response.authenticator_data.0)?;
        if said.is_backup_eligible() != key.backup_eligible {
            return Err(Flaw::Credential);
        }
        let mut signed = response.authenticator_data.0.clone();
        signed.extend(Sha256::digest(&response.client_data.0));
        Key::read(&key.public_key)?.verify(&signed, &response.signature.0)?;
        if said.counter <= key.counter && (said.counter, key.counter) != (0, 0) {
            return Err(Flaw::Counter);
        }
        Ok(Credential {
            counter: said.counter,
            backed_up: said.is_backed_up(),
            verified: said.is_verified(),
            ..key.clone()
        })
    }

    fn check_client(
        &self,
        party: &RelyingParty,
        kind: &str,
        expected: &str,
        client_data: &Bytes,
    ) -> Result<(), Flaw> {
        let client: ClientData = serde_json::from_slice(&client_data.0).map_err(|_| Flaw::Malformed)?;
        if kind != "public-key" || client.kind != expected || client.challenge != self.challenge {
            return Err(Flaw::Question);
        }
        if party.admits(&client.origin) { Ok(()) } else { Err(Flaw::Origin) }
    }

    fn check_authenticator<'a>(&self, data: &'a [u8]) -> Result<AuthenticatorData<'a>, Flaw> {
        let (domain, said) = AuthenticatorData::read(data).ok_or(Flaw::Malformed)?;
        if domain != Sha256::digest(&self.rp_id).as_slice() {
            return Err(Flaw::Origin);
        }
        let must_verify = self.user_verification == "required";
        if !said.is_present() || (must_verify && !said.is_verified()) {
            return Err(Flaw::Presence);
        }
        if said.is_backed_up() && !said.is_backup_eligible() {
            return Err(Flaw::Malformed);
        }
        Ok(said)
    }
}

impl Assertion {
    /// Who the key says it belongs to.
    pub(super) fn owner(&self) -> Option<Uuid> {
        let handle = self.response.user_handle.as_ref()?;
        Uuid::parse_str(std::str::from_utf8(&handle.0).ok()?).ok()
    }
}

impl<'a> AuthenticatorData<'a> {
    /// The digest of the domain, and the rest.
    fn read(data: &'a [u8]) -> Option<(&'a [u8], Self)> {
        let (domain, rest) = data.split_at_checked(32)?;
        let (&flags, rest) = rest.split_first()?;
        let (counter, rest) = rest.split_first_chunk()?;
        let mut said = Self { flags, counter: u32::from_be_bytes(*counter), made: None };
        let mut rest = rest;
        if said.has(6) {
            let (aaguid, after) = rest.split_first_chunk()?;
            let (length, after) = after.split_first_chunk()?;
            let (id, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let (key, after) = after.split_at_checked(item(after)?)?;
            said.made = Some((Uuid::from_bytes(*aaguid), id, key));
            rest = after;
        }
        if said.has(7) {
            rest = rest.get(item(rest)?..)?;
        }
        rest.is_empty().then_some((domain, said))
    }

    fn has(&self, bit: u8) -> bool {
        self.flags >> bit & 1 == 1
    }

    fn is_present(&self) -> bool {
        self.has(0)
    }

    fn is_verified(&self) -> bool {
        self.has(2)
    }

    fn is_backup_eligible(&self) -> bool {
        self.has(3)
    }

    fn is_backed_up(&self) -> bool {
        self.has(4)
    }
}

/// What a signature is checked with.
enum Key {
    Es256(p256::ecdsa::VerifyingKey),
    EdDsa(ed25519_dalek::VerifyingKey),
    Rs256(RsaPublicKeyComponents<Vec<u8>>),
}

impl Key {
    fn read(cose: &[u8]) -> Result<Self, Flaw> {
        let Ok(Cbor::Map(fields)) = ciborium::from_reader(cose) else { return Err(Flaw::Malformed) };
        let field = |label: i64| {
            let label = Cbor::from(label);
            fields.iter().find(|(key, _)| *key == label).map(|(_, value)| value)
        };
        let number = |label| field(label).and_then(Cbor::as_integer).and_then(|n| i64::try_from(n).ok());
        let bytes = |label| field(label).and_then(Cbor::as_bytes).ok_or(Flaw::Malformed);
        // Type, algorithm and, where there is one, curve.
        match (number(1), number(3), number(-1)) {
            (Some(2), Some(ES256), Some(1)) => {
                let (x, y) = (bytes(-2)?, bytes(-3)?);
                let point = [&[4], x.as_slice(), y].concat();
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map_err(|_| Flaw::Malformed)?;
                Ok(Self::Es256(key))
            }
            (Some(1), Some(EDDSA), Some(6)) => {
                let point = bytes(-2)?.as_slice().try_into().map_err(|_| Flaw::Malformed)?;
                let key = ed25519_dalek::VerifyingKey::from_bytes(point).map_err(|_| Flaw::Malformed)?;
                Ok(Self::EdDsa(key))
            }
            (Some(3), Some(RS256), _) => {
                let (n, e) = (bytes(-1)?.clone(), bytes(-2)?.clone());
                // What the library can check signatures with: 2048 to 8192 bits.
                let fits = (256..=1024).contains(&n.len()) && n.first() != Some(&0) && !e.is_empty();
                if fits { Ok(Self::Rs256(RsaPublicKeyComponents { n, e })) } else { Err(Flaw::Malformed) }
            }
            _ => Err(Flaw::Algorithm),
        }
    }

    fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Flaw> {
        let holds = match self {
            Self::Es256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
            Self::EdDsa(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(signed, &signature).is_ok()),
            Self::Rs256(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok(),
        };
        if holds { Ok(()) } else { Err(Flaw::Signature) }
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        LENIENT.decode(text).map(Self).map_err(|_| D::Error::custom("not base64url"))
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = base64::engine::general_purpose::STANDARD.decode(text);
        read.map(Self).map_err(|_| D::Error::custom("not base64"))
    }
}

/// How a key names its owner: the id as text, as hosted.
fn handle(owner: Uuid) -> Vec<u8> {
    owner.to_string().into_bytes()
}

fn descriptor(key: &Credential) -> Value {
    let mut descriptor = json!({"type": "public-key", "id": URL_SAFE_NO_PAD.encode(&key.id)});
    if !key.transports.is_empty() {
        descriptor["transports"] = json!(key.transports);
    }
    descriptor
}

fn same_origin(known: &str, shown: &str) -> bool {
    match (Url::parse(known), Url::parse(shown)) {
        (Ok(known), Ok(shown)) => known.origin().is_tuple() && known.origin() == shown.origin(),
        _ => false,
    }
}

/// How long the CBOR item at the beginning is.
fn item(data: &[u8]) -> Option<usize> {
    let mut reader = Cursor::new(data);
    ciborium::from_reader::<Cbor, _>(&mut reader).ok()?;
    usize::try_from(reader.position()).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
    use passkey_client::{Client, DefaultClientData};
    use passkey_crypto::AvailableBackend;
    use passkey_types::{
        Passkey,
        ctap2::{Aaguid, Ctap2Error},
    };
    use proptest::prelude::*;

    use super::*;

    const PAGE: &str = "https://app.example.com";

    /// Somebody who says yes.
    struct Yes;

    #[async_trait::async_trait]
    impl UserValidationMethod for Yes {
        type PasskeyItem = Passkey;

        async fn check_user<'a>(
            &self,
            _: UiHint<'a, Passkey>,
            presence: bool,
            verification: bool,
        ) -> Result<UserCheck, Ctap2Error> {
            Ok(UserCheck { presence, verification })
        }

        fn is_presence_enabled(&self) -> bool {
            true
        }

        fn is_verification_enabled(&self) -> Option<bool> {
            Some(true)
        }
    }

    fn party() -> RelyingParty {
        RelyingParty { id: "example.com".to_owned(), name: "Example".to_owned(), origins: Vec::new() }
    }

    fn owner() -> Owner {
        Owner { id: Uuid::from_u128(7), name: "ana".to_owned(), display_name: "Ana".to_owned() }
    }

    /// What a real authenticator answered: its key, and what it was asked and said, twice.
    struct Sample {
        registration: Value,
        created: Ceremony,
        assertion: Value,
        requested: Ceremony,
    }

    impl Sample {
        /// With the algorithm, as COSE numbers it.
        fn take(algorithm: i64) -> Self {
            let mut authenticator =
                Authenticator::new(Aaguid::new_empty(), None::<Passkey>, Yes, AvailableBackend);
            authenticator.set_make_credentials_with_signature_counter(true);
            let mut client = Client::new(authenticator);
            let page = Url::parse(PAGE).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let created = Ceremony::create(&party(), [1; 32], &owner());
                let mut options = created.creation_options(&party(), &owner(), &[], true);
                options["pubKeyCredParams"] = json!([{"type": "public-key", "alg": algorithm}]);
                let asked = serde_json::from_value(json!({"publicKey": options})).unwrap();
                let made = client.register(&page, asked, DefaultClientData).await.unwrap();
                let requested = Ceremony::request(&party(), [2; 32], None, &[]);
                let asked = json!({"publicKey": requested.request_options(&[])});
                let asked = serde_json::from_value(asked).unwrap();
                let shown = client.authenticate(&page, asked, DefaultClientData).await.unwrap();
                Self { registration: json!(made), created, assertion: json!(shown), requested }
            })
        }

        fn get() -> &'static Self {
            static SAMPLE: OnceLock<Sample> = OnceLock::new();
            SAMPLE.get_or_init(|| Self::take(ES256))
        }

        fn register(&self) -> Result<Credential, Flaw> {
            self.created.register(&party(), serde_json::from_value(self.registration.clone()).unwrap())
        }

        fn authenticate(&self, key: &Credential) -> Result<Credential, Flaw> {
            let answer = serde_json::from_value(self.assertion.clone()).unwrap();
            self.requested.authenticate(&party(), &answer, std::slice::from_ref(key))
        }
    }

    #[test]
    fn a_key_that_was_made_answers() {
        for algorithm in [ES256, EDDSA] {
            let sample = Sample::take(algorithm);
            let key = sample.register().unwrap();
            assert_eq!((key.attestation.as_str(), key.counter), ("none", 0), "{algorithm}");
            assert!(key.verified);
            let answer: Assertion = serde_json::from_value(sample.assertion.clone()).unwrap();
            assert_eq!(answer.owner(), Some(owner().id));
            let used = sample.authenticate(&key).unwrap();
            assert!(used.counter > key.counter);
            assert_eq!(sample.authenticate(&used), Err(Flaw::Counter), "a copy has been there before");
        }
    }

    #[test]
    fn only_what_was_asked_for_holds() {
        let sample = Sample::get();
        let key = sample.register().unwrap();
        let made = || serde_json::from_value(sample.registration.clone()).unwrap();
        let shown: Assertion = serde_json::from_value(sample.assertion.clone()).unwrap();
        let keys = std::slice::from_ref(&key);
        let elsewhere = RelyingParty { origins: vec!["https://example.com".to_owned()], ..party() };
        assert_eq!(sample.created.register(&elsewhere, made()), Err(Flaw::Origin));
        let listed = RelyingParty { origins: vec![format!("{PAGE}/")], ..party() };
        assert!(sample.created.register(&listed, made()).is_ok());
        let another = RelyingParty { id: "app.example.com".to_owned(), ..party() };
        let question = Ceremony { rp_id: another.id.clone(), ..sample.created.clone() };
        assert_eq!(question.register(&another, made()), Err(Flaw::Origin), "the key is another domain's");
        let question = Ceremony::create(&party(), [3; 32], &owner());
        assert_eq!(question.register(&party(), made()), Err(Flaw::Question));
        let question = Ceremony::request(&party(), [3; 32], None, &[]);
        assert_eq!(question.authenticate(&party(), &shown, keys), Err(Flaw::Question));
        let stranger = Ceremony { user_id: Some(Base64(handle(Uuid::nil()))), ..sample.requested.clone() };
        assert_eq!(stranger.authenticate(&party(), &shown, keys), Err(Flaw::Credential));
        let other = Credential { id: vec![1], ..key.clone() };
        let others = Ceremony { allowed_credentials: vec![Base64(vec![1])], ..sample.requested.clone() };
        assert_eq!(others.authenticate(&party(), &shown, keys), Err(Flaw::Credential));
        assert_eq!(sample.requested.authenticate(&party(), &shown, &[other]), Err(Flaw::Credential));
        let copied = Credential { backup_eligible: !key.backup_eligible, ..key.clone() };
        assert_eq!(sample.requested.authenticate(&party(), &shown, &[copied]), Err(Flaw::Credential));
        let stolen = Credential { public_key: Sample::take(ES256).register().unwrap().public_key, ..key };
        assert_eq!(sample.requested.authenticate(&party(), &shown, &[stolen]), Err(Flaw::Signature));
    }

    #[test]
    fn a_page_speaks_for_its_domain() {
        let local = RelyingParty { id: "localhost".to_owned(), ..party() };
        for (party, origin, admitted) in [
            (party(), "https://example.com", true),
            (party(), "https://example.com:8443", true),
            (party(), "https://a.b.example.com", true),
            (party(), "http://example.com", false),
            (party(), "https://badexample.com", false),
            (party(), "https://example.com.evil.org", false),
            (party(), "example.com", false),
            (local.clone(), "http://localhost:5173", true),
            (local, "http://127.0.0.1:5173", false),
            (
                RelyingParty { origins: vec!["android:apk-key-hash:abc".to_owned()], ..party() },
                "android:apk-key-hash:abc",
                true,
            ),
            (
                RelyingParty { origins: vec!["android:apk-key-hash:abc".to_owned()], ..party() },
                "android:apk-key-hash:abd",
                false,
            ),
        ] {
            assert_eq!(party.admits(origin), admitted, "{origin}");
        }
    }

    #[test]
    fn a_question_is_read_as_it_is_kept() {
        let question = Ceremony::create(&party(), [250; 32], &owner());
        let kept = json!(question);
        assert_eq!(kept["rpId"], "example.com");
        assert_eq!(serde_json::from_value::<Ceremony>(kept).unwrap(), question);
    }

    #[test]
    fn an_rsa_key_answers_too() {
        // Made with OpenSSL: a key of 2048 bits, and what it signed.
        let modulus = "uNuhT82jQCkidoTZSWcxiqkqWovJOfFe5SjjrwrPq9S6xd_5oqoNWog3DdzmzgjVfN0ysiI5EBIqN-_p1xRhzp4e7GQa6ARX\
        sufb07WjQKz0f-b6vteiWedn2tt4SCD8dys825DOhtw3kOsQCSb0kUEaOk7jEOyq86LdggfgrwsltV5LqAtrklTkEJUBx0KQ\
        qh9GK7MmOw1t31JYNUPmTgczQsHMk32EJ5KGBnca4Ydo5KyfuQkVXGYm4PtlPiy8PL3hms8giBVWxKu8d_OabwsDgGvwL9Om\
        7dK9QvEKHN1WkbnW6LW49r_uclhGFYzAoly4MNiOy48_9FV0Iw2-wQ";
        let signature = "jdwt4pQeTlERb6iemq_OJCpIUMVfCmIXt59Hb0VbrX-3KVtR5DbUiGq-mecM58kz2WiUTNg11fKylsM-B-NnRoQlNGgHDeh4\
        QYgUGSyoZ2U19-3OF_wv_GDeLqIrnJTrFdPPnNSyJjBGQSEK1nGmejpQnzA800yM8kLy7l43q3ZW8JdSVA2QFRz0odCoXT2Z\
        kRdj4mRvannwgiWpUYvPxSlY49lq-f7mq0KnLCXfTJoYL3cuNeplTQPdFbEynHfYRYg-YtDVvdYjFH4ag-Hd--2mydn67DGS\
        StfTYiHS7THom5Xo_c2wgN2MsaDrZAm1Bn3wj6vgZcXjG0kh4wzCIQ";
        let bytes = |text| URL_SAFE_NO_PAD.decode(text).unwrap();
        let fields = [
            (1, Cbor::from(3)),
            (3, Cbor::from(RS256)),
            (-1, Cbor::from(bytes(modulus))),
            (-2, Cbor::from(vec![1, 0, 1])),
        ];
        let mut cose = Vec::new();
        let fields = fields.map(|(label, value)| (Cbor::from(label), value)).to_vec();
        ciborium::into_writer(&Cbor::Map(fields), &mut cose).unwrap();
        let key = Key::read(&cose).unwrap();
        assert_eq!(key.verify(b"what was signed", &bytes(signature)), Ok(()));
        assert_eq!(key.verify(b"what was not", &bytes(signature)), Err(Flaw::Signature));
    }

    proptest! {
        #[test]
        fn strange_bytes_are_refused(data: Vec<u8>, client: Vec<u8>, signature: Vec<u8>) {
            let sample = Sample::get();
            let key = sample.register().unwrap();
            let answer = |client: &[u8]| Assertion {
                raw_id: Bytes(key.id.clone()),
                kind: "public-key".to_owned(),
                response: AssertionResponse {
                    client_data: Bytes(client.to_vec()),
                    authenticator_data: Bytes(data.clone()),
                    signature: Bytes(signature.clone()),
                    user_handle: None,
                },
            };
            let said: Assertion = serde_json::from_value(sample.assertion.clone()).unwrap();
            for client in [&client, &said.response.client_data.0] {
                let held = sample.requested.authenticate(&party(), &answer(client), std::slice::from_ref(&key));
                prop_assert!(held.is_err());
            }
            prop_assert!(Key::read(&data).is_err());
        }

        #[test]
        fn a_key_that_was_tampered_with_is_the_one_it_says_or_none(place: prop::sample::Index, bits in 1..=255_u8) {
            let sample = Sample::get();
            let mut made: Registration = serde_json::from_value(sample.registration.clone()).unwrap();
            let (place, id) = (place.index(made.response.attestation.0.len()), made.raw_id.clone());
            made.response.attestation.0[place] ^= bits;
            if let Ok(key) = sample.created.register(&party(), made) {
                prop_assert_eq!(key.id, id.0);
            }
        }

        #[test]
        fn an_answer_that_was_tampered_with_does_not_hold(place: prop::sample::Index, bits in 1..=255_u8) {
            let sample = Sample::get();
            let key = sample.register().unwrap();
            let mut said: Assertion = serde_json::from_value(sample.assertion.clone()).unwrap();
            let response = &mut said.response;
            let parts = [&mut response.client_data, &mut response.authenticator_data, &mut response.signature];
            let mut place = place.index(parts.iter().map(|part| part.0.len()).sum());
            for part in parts {
                match part.0.get_mut(place) {
                    Some(byte) => {
                        *byte ^= bits;
                        break;
                    }
                    None => place -= part.0.len(),
                }
            }
            prop_assert!(sample.requested.authenticate(&party(), &said, &[key]).is_err());
        }
    }
}
