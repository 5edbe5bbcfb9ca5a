//! Where somebody can be reached: an address or a number.
//!
//! It is kept in one form however it was written: an address in small letters, a number as digits
//! alone. A code is kept hashed together with where it was sent, so it proves nothing else.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha224};

use super::reply::AuthError;

const LONGEST_EMAIL: usize = 255;

/// An address or a number, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Contact {
    Email(String),
    Phone(String),
}

impl Contact {
    /// The one of both that was given, if any was.
    pub(super) fn of(
        email: Option<&str>,
        phone: Option<&str>,
        both: &'static str,
    ) -> Result<Option<Self>, AuthError> {
        match (email, phone) {
            (None, None) => Ok(None),
            (Some(email), None) => Self::email(email).map(Some),
            (None, Some(phone)) => Self::phone(phone).map(Some),
            (Some(_), Some(_)) => Err(AuthError::invalid(both)),
        }
    }

    pub(super) fn email(written: &str) -> Result<Self, AuthError> {
        if written.len() > LONGEST_EMAIL {
            return Err(AuthError::invalid("An email address is too long"));
        }
        match written.rsplit_once('@') {
            Some((name, domain)) if is_mailbox(name) && domain.split('.').all(is_label) => {
                Ok(Self::Email(written.to_ascii_lowercase()))
            }
            _ => Err(AuthError::invalid("Unable to validate email address: invalid format")),
        }
    }

    pub(super) fn phone(written: &str) -> Result<Self, AuthError> {
        let digits = written.strip_prefix('+').unwrap_or(written).replace(' ', "");
        let fits = (2..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        if fits {
            Ok(Self::Phone(digits))
        } else {
            Err(AuthError::invalid("Invalid phone number format (E.164 required)"))
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Email(text) | Self::Phone(text) => text,
        }
    }

    /// The provider of an identity that is proved by it.
    pub(super) fn provider(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// What is kept of a code that was sent there.
    pub(super) fn hash(&self, code: &str) -> String {
        let digest = Sha224::new().chain_update(self.as_str()).chain_update(code).finalize();
        digest.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

fn is_mailbox(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    !name.is_empty() && name.chars().all(fits)
}

fn is_label(label: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (1..=63).contains(&label.len())
        && label.chars().all(fits)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_kept_as_it_is(written in "[+]?[A-Za-z0-9 .@-]{0,20}") {
            for read in [Contact::email, Contact::phone] {
                if let Ok(contact) = read(&written) {
                    prop_assert_eq!(read(contact.as_str()).ok(), Some(contact.clone()));
                }
            }
        }
    }

    #[test]
    fn an_address_is_kept_in_small_letters_if_it_is_one() {
        assert_eq!(Contact::email("Ana@Example.com").unwrap().as_str(), "ana@example.com");
        assert_eq!(Contact::email("a+b@localhost").unwrap().as_str(), "a+b@localhost");
        for wrong in ["", "ana", "@b.c", "a@", "a b@c.d", "a@b..c", "a@-b.c", "a@b@c.d"] {
            assert!(Contact::email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_is_kept_as_digits_if_it_is_one() {
        assert_eq!(Contact::phone("+49 151 2345").unwrap().as_str(), "491512345");
        for wrong in ["", "+", "1", "0151", "+49-151", "1234567890123456", "abc"] {
            assert!(Contact::phone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_code_is_bound_to_where_it_was_sent() {
        let (ana, bea) = (Contact::email("a@b.c").unwrap(), Contact::email("b@b.c").unwrap());
        assert_ne!(ana.hash("123456"), bea.hash("123456"));
        // sha224sum of "a@b.c123456"
        assert_eq!(ana.hash("123456"), "19fc8045654795b943ae7db4b637d9ee44d1dc98644c90a3fb01fa3f");
    }
}
