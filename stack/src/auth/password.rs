//! Passwords: what may be one, how it is kept, and whether it is the right one.
//!
//! Hashing takes its time on purpose, so it never runs where requests are served.

use argon2::{
    Argon2,
    password_hash::{PasswordVerifier, phc::PasswordHash},
};
use tokio::task::spawn_blocking;

use super::reply::AuthError;

const SHORTEST: usize = 6;
/// More than this bcrypt would ignore.
const LONGEST: usize = 72;
/// The hosted service uses 10. That is sixteen times the work, and a test run signs up hundreds
/// of people whose passwords protect nothing.
const COST: u32 = 6;

/// Refuses a password that is too easy to guess.
pub(super) fn check(password: &str) -> Result<(), AuthError> {
    if password.len() < SHORTEST {
        Err(AuthError::weak_password(format!("Password should be at least {SHORTEST} characters.")))
    } else {
        Ok(())
    }
}

/// What is kept of a password.
pub(super) async fn hash(password: String, salt: [u8; 16]) -> Result<String, AuthError> {
    if password.len() > LONGEST {
        let message = format!("Password cannot be longer than {LONGEST} characters");
        return Err(AuthError::bad_request("validation_failed", message));
    }
    let hashed = spawn_blocking(move || bcrypt::hash_with_salt(password, COST, salt)).await;
    match hashed {
        Ok(Ok(parts)) => Ok(parts.format_for_version(bcrypt::Version::TwoA)),
        _ => Err(AuthError::unexpected("The password could not be hashed")),
    }
}

/// Whether this is the password the hash was made of.
pub(super) async fn is_right(password: String, hash: String) -> bool {
    let compared = spawn_blocking(move || match hash.starts_with("$argon2") {
        true => PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()),
        false => bcrypt::verify(password, &hash).unwrap_or(false),
    });
    compared.await.unwrap_or(false)
}

/// Whether this is a hash another service kept and we can check a password against.
pub(super) fn is_hash(hash: &str) -> bool {
    if hash.starts_with("$argon2") {
        PasswordHash::new(hash).is_ok()
    } else {
        hash.parse::<bcrypt::HashParts>().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_another_is_not() {
        let kept = hash("correct horse".to_owned(), [7; 16]).await.unwrap();
        assert!(kept.starts_with("$2a$06$"), "{kept}");
        assert!(is_right("correct horse".to_owned(), kept.clone()).await);
        assert!(!is_right("wrong horse".to_owned(), kept).await);
    }

    #[tokio::test]
    async fn a_hash_made_elsewhere_is_understood() {
        // Of "password", from the tests of argon2's own authors.
        let kept = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(is_hash(kept));
        assert!(is_right("password".to_owned(), kept.to_owned()).await);
        assert!(!is_right("passwort".to_owned(), kept.to_owned()).await);
        for unknown in ["$fbscrypt$v=1,n=14", "secret", "$argon2id$"] {
            assert!(!is_hash(unknown), "{unknown}");
        }
    }

    #[test]
    fn five_characters_are_too_few() {
        assert!(check("12345").is_err());
        assert!(check("123456").is_ok());
    }
}
