//! Where a database is, and how safe the way there has to be.
//!
//! An address is what libpq calls a connection URI, with libpq's words for encryption: `sslmode`
//! and `sslrootcert`. A part that could be half a password never enters an error.

use std::fmt;
use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::exit::{self, Failure};

/// The address of a database, taken apart.
#[derive(Clone)]
pub struct Address {
    /// What the driver needs.
    pub(crate) config: Config,
    /// How safe the way there has to be.
    pub encryption: Encryption,
}

/// How safe the way to a database has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// In clear.
    Off,
    /// Encrypted if the server can, to whoever answers.
    IfOffered,
    /// Encrypted, to whoever answers.
    Required,
    /// Encrypted, to a server with a certificate of an authority we trust.
    Trusted(Roots),
    /// Encrypted, to a server with such a certificate in the name we call it by.
    Verified(Roots),
}

/// Whose certificates count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Roots {
    /// Those of the authorities this system trusts.
    System,
    /// Those of the authorities in a PEM file.
    File(PathBuf),
}

/// Without the password.
impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Address");
        shown.field("place", &self.place()).field("encryption", &self.encryption).finish_non_exhaustive()
    }
}

impl Address {
    /// Reads a connection URI, such as `postgresql://user:password@host:5432/name?sslmode=require`.
    ///
    /// # Errors
    /// Exit code 2, without the password, for a text that is no such address.
    ///
    /// ```
    /// use migrator::address::{Address, Encryption};
    ///
    /// let address = Address::read("postgresql://zoe:secret@db.example.com/garage?sslmode=require")?;
    /// assert_eq!(address.place(), "db.example.com:5432");
    /// assert_eq!(address.encryption, Encryption::Required);
    /// assert!(!format!("{address:?}").contains("secret"));
    /// # Ok::<(), migrator::exit::Failure>(())
    /// ```
    pub fn read(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if !text.starts_with("postgresql://") && !text.starts_with("postgres://") {
            return Err(wrong("the address of a database begins with postgresql://"));
        }
        // What follows the first @ would be taken for the host, and shown.
        if text.matches('@').count() > 1 {
            return Err(wrong("the address of the database holds more than one @")
                .help("write an @ in a user name or password as %40"));
        }
        // A password may hold a question mark; the driver, like libpq, looks for the @ first.
        let behind = text.find('@').unwrap_or_default();
        let question = text[behind..].find('?').map(|place| behind + place);
        let (base, query) = question.map_or((text, ""), |place| (&text[..place], &text[place + 1..]));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", value)) => roots = Some(decoded(value)?),
                Some(_) | None => others.push(pair),
            }
        }
        let encryption = encryption(mode, roots)?;
        let rest = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        let mut config: Config = rest.parse().map_err(unreadable)?;
        config.ssl_mode(match encryption {
            Encryption::Off => SslMode::Disable,
            Encryption::IfOffered => SslMode::Prefer,
            Encryption::Required | Encryption::Trusted(_) | Encryption::Verified(_) => SslMode::Require,
        });
        if config.get_application_name().is_none() {
            config.application_name("migrator");
        }
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong("the address of the database names no host"));
        }
        Ok(Self { config, encryption })
    }

    /// The hosts and ports, for people.
    pub fn place(&self) -> String {
        let ports = self.config.get_ports();
        let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
        let named = self.config.get_hosts().iter().enumerate().map(|(index, host)| match host {
            Host::Tcp(host) => format!("{host}:{}", port(index)),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}:{}", folder.display(), port(index)),
        });
        named.collect::<Vec<_>>().join(", ")
    }
}

/// libpq's words, and what they come to. A file of authorities turns `require` into `verify-ca`, as it
/// does there; `allow` would go in clear where it need not, so it means `prefer`.
fn encryption(mode: Option<&str>, roots: Option<String>) -> Result<Encryption, Failure> {
    let file = roots.filter(|roots| !roots.is_empty());
    let system = file.as_deref() == Some("system");
    let roots = match file {
        Some(file) if !system => Roots::File(file.into()),
        Some(_) | None => Roots::System,
    };
    let has_file = matches!(roots, Roots::File(_));
    match mode {
        // The system vouches for names, so trusting it without looking at the name is no trust at all.
        None | Some("verify-full") if system => Ok(Encryption::Verified(roots)),
        Some(_) if system => {
            Err(wrong("sslrootcert=system needs sslmode=verify-full in the address of the database"))
        }
        Some("disable") => Ok(Encryption::Off),
        None | Some("prefer" | "allow") => Ok(Encryption::IfOffered),
        Some("require") if has_file => Ok(Encryption::Trusted(roots)),
        Some("require") => Ok(Encryption::Required),
        Some("verify-ca") => Ok(Encryption::Trusted(roots)),
        Some("verify-full") => Ok(Encryption::Verified(roots)),
        Some(_) => Err(wrong("the address of the database has an sslmode that is none")
            .help("it is one of disable, prefer, require, verify-ca and verify-full")),
    }
}

/// A value of a query, with its percent signs resolved.
fn decoded(value: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (digit(rest.next()), digit(rest.next())) {
            // Two hexadecimal digits fit.
            (Some(high), Some(low)) => bytes.push(u8::try_from(high * 16 + low).unwrap_or_default()),
            _ => return Err(wrong("the address of the database has a % without two digits behind it")),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong("the address of the database is no UTF-8"))
}

fn wrong(message: &str) -> Failure {
    Failure::new(exit::USAGE, "usage.database", message)
        .help("it looks like postgresql://postgres:PASSWORD@HOST:5432/postgres?sslmode=require")
}

/// The driver names the parameter it does not know or understand, and never a value.
fn unreadable(error: tokio_postgres::Error) -> Failure {
    let reason = std::error::Error::source(&error).map(|reason| format!(": {reason}")).unwrap_or_default();
    wrong(&format!("the address of the database cannot be read{reason}")).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "postgresql://zoe:secret@db.example.com:6543/garage";

    #[track_caller]
    fn means(query: &str, encryption: &Encryption) {
        assert_eq!(Address::read(&format!("{BASE}{query}")).expect(query).encryption, *encryption, "{query}");
    }

    #[track_caller]
    fn refused(address: &str, says: &str) {
        let failure = Address::read(address).expect_err(address);
        assert_eq!(failure.code, exit::USAGE);
        let text = format!("{} {} {failure:?}", failure.message, failure.help);
        assert!(text.contains(says), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn the_words_for_encryption_mean_what_they_mean_to_libpq() {
        means("", &Encryption::IfOffered);
        means("?sslmode=prefer", &Encryption::IfOffered);
        means("?sslmode=disable", &Encryption::Off);
        means("?connect_timeout=3&sslmode=require", &Encryption::Required);
        means("?sslmode=verify-ca", &Encryption::Trusted(Roots::System));
        means("?sslmode=verify-full", &Encryption::Verified(Roots::System));
        let file = || Roots::File("/a b.pem".into());
        means("?sslmode=require&sslrootcert=/a%20b.pem", &Encryption::Trusted(file()));
        means("?sslmode=verify-full&sslrootcert=/a%20b.pem", &Encryption::Verified(file()));
        means("?sslrootcert=system", &Encryption::Verified(Roots::System));
        means("?sslmode=verify-full&channel_binding=require", &Encryption::Verified(Roots::System));
    }

    #[test]
    fn an_address_that_cannot_be_is_refused_without_the_password() {
        refused("mysql://zoe:secret@host/x", "postgresql://");
        refused("postgresql://zoe:p@secret@host/x", "%40");
        refused("postgresql://zoe:secret@host/x?sslmode=maybe", "sslmode");
        refused("postgresql://zoe:secret@host/x?sslmode=require&sslrootcert=system", "verify-full");
        refused("postgresql://zoe:secret@host/x?pgbouncer=true", "pgbouncer");
        refused("postgresql://zoe:secret@host:port/x", "port");
        refused("postgresql://zoe:secret@host/x?sslrootcert=%f", "%");
        refused("postgresql://zoe:secret@", "host");
    }
}
