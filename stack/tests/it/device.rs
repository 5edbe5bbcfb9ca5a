//! A real authenticator: a device with a browser at the project's own page. The tests of the SDK use it too.

use passkey_authenticator::{Authenticator, UiHint, UserCheck, UserValidationMethod};
use passkey_client::{Client, DefaultClientData};
use passkey_crypto::AvailableBackend;
use passkey_types::{
    Passkey,
    ctap2::{Aaguid, Ctap2Error},
};
use serde_json::{Value, json};
use url::Url;

const PAGE: &str = "http://localhost:3000";

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

/// A device with a browser at the project's own page: it keeps one key.
pub(crate) struct Device(Option<Passkey>);

/// The browser of a device; a macro, since its type can not be named.
macro_rules! browser {
    ($device:expr) => {{
        let mut authenticator =
            Authenticator::new(Aaguid::new_empty(), $device.0.take(), Yes, AvailableBackend);
        authenticator.set_make_credentials_with_signature_counter(true);
        Client::new(authenticator).allows_insecure_localhost(true)
    }};
}

impl Device {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    pub(crate) async fn create(&mut self, options: &Value) -> Value {
        let options = serde_json::from_value(json!({"publicKey": options})).unwrap();
        let mut browser = browser!(self);
        let made = browser.register(&Url::parse(PAGE).unwrap(), options, DefaultClientData).await.unwrap();
        self.0.clone_from(browser.authenticator().store());
        json!(made)
    }

    pub(crate) async fn get(&mut self, options: &Value) -> Value {
        let options = serde_json::from_value(json!({"publicKey": options})).unwrap();
        let mut browser = browser!(self);
        let shown =
            browser.authenticate(&Url::parse(PAGE).unwrap(), options, DefaultClientData).await.unwrap();
        self.0.clone_from(browser.authenticator().store());
        json!(shown)
    }
}
