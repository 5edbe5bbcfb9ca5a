//! Which addresses belong to the project: the site itself, and those on its list.
//!
//! Only a wallet's message and a consent page are held to it. Where a link leads is not.

use url::{Host, Url};

use super::settings::Settings;

impl Settings {
    /// Whether an address is the site's own or on the list.
    pub(super) fn admits(&self, address: &str) -> bool {
        if address.is_empty() || address.chars().any(|c| c <= ' ' || c == '\x7f') {
            return false;
        }
        let Ok(site) = Url::parse(&self.site_url) else { return false };
        if let Ok(asked) = Url::parse(address) {
            let is_page = matches!(asked.scheme(), "http" | "https");
            let same_host = asked.host() == site.host() && asked.scheme() == site.scheme();
            if same_host && (asked.port() == site.port() || is_loopback(asked.host().as_ref())) {
                return true;
            }
            match asked.host() {
                // A number is an address in disguise, and only where it was written as one is it seen.
                Some(Host::Ipv4(_)) if host_in(address).bytes().all(|byte| byte.is_ascii_digit()) => {
                    return false;
                }
                Some(Host::Ipv4(address)) => return address.is_loopback(),
                Some(Host::Ipv6(address)) => return address.is_loopback(),
                Some(Host::Domain(host)) if is_page && !is_regular(host) => return false,
                Some(Host::Domain(_)) | None => {}
            }
        } else if ["http://", "https://"].iter().any(|scheme| starts_with(address, scheme)) {
            return false;
        }
        let (address, _) = address.split_once('#').unwrap_or((address, ""));
        self.additional_redirect_urls.iter().any(|pattern| fits(pattern.as_bytes(), address.as_bytes()))
    }
}

/// The host of an address and its port, as they were written.
pub(super) fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

fn host_in(address: &str) -> &str {
    authority(address).split(':').next().unwrap_or_default()
}

fn is_loopback(host: Option<&Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(host)) => *host == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn is_regular(host: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(host.bytes().next())
        && edge(host.bytes().next_back())
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-')
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Whether a text fits a pattern: `?` is a character between dots and slashes, `*` any number of
/// them, `**` any number of any.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let is_part = |byte: &u8| *byte != b'.' && *byte != b'/';
    // What of the pattern has fitted up to each place of the text; one row at a time.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    let mut rest = pattern;
    while let Some((first, after)) = rest.split_first() {
        let mut next = vec![false; text.len() + 1];
        let (step, after) = match first {
            b'*' if after.first() == Some(&b'*') => (None, &after[1..]),
            _ => (Some(first), after),
        };
        for place in 0..=text.len() {
            let before = place.checked_sub(1).map(|before| (&text[before], before));
            next[place] = match step {
                None => reached[place] || before.is_some_and(|(_, before)| next[before]),
                Some(b'*') => {
                    reached[place] || before.is_some_and(|(byte, before)| is_part(byte) && next[before])
                }
                Some(b'?') => before.is_some_and(|(byte, before)| is_part(byte) && reached[before]),
                Some(letter) => before.is_some_and(|(byte, before)| byte == letter && reached[before]),
            };
        }
        (reached, rest) = (next, after);
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(list: &[&str]) -> Settings {
        Settings {
            site_url: "https://example.com".to_owned(),
            additional_redirect_urls: list.iter().map(|&pattern| pattern.to_owned()).collect(),
            ..Settings::default()
        }
    }

    #[test]
    fn an_address_is_the_sites_own_or_on_the_list() {
        let list = ["https://*.example.org/**", "app://open?", "http://localhost:**"];
        for (address, admitted) in [
            ("https://example.com/any?where=1#here", true),
            ("http://example.com/", false),
            ("https://example.com:8443/", false),
            ("https://a.example.org/deep/down", true),
            ("https://a.b.example.org/", false),
            ("https://example.org/", false),
            ("app://opens", true),
            ("app://open.", false),
            ("http://localhost:5173/", true),
            ("http://127.0.0.1:5173/", true),
            ("http://[::1]/", true),
            ("http://10.0.0.1/", false),
            ("http://2130706433/", false),
            ("https://a_b.example.org/", false),
            (" https://example.com/", false),
            ("https://example.com/a\tb", false),
            ("https://%zz", false),
            ("", false),
        ] {
            assert_eq!(settings(&list).admits(address), admitted, "{address}");
        }
    }

    #[test]
    fn a_loopback_site_may_move_to_another_port() {
        let site = Settings { site_url: "http://localhost:3000".to_owned(), ..settings(&[]) };
        assert!(site.admits("http://localhost:4000/"));
        assert!(!site.admits("https://localhost:3000/"));
    }

    #[test]
    fn the_authority_is_read_as_it_is_written() {
        for (address, expected) in [
            ("https://example.com:443/a@b", "example.com:443"),
            ("https://me:secret@example.com?x", "example.com"),
            ("example.com", "example.com"),
        ] {
            assert_eq!(authority(address), expected);
        }
    }

    proptest! {
        #[test]
        fn no_address_is_too_strange_to_be_judged(pattern in "[*?./a-c]{0,12}", address: String) {
            settings(&[&pattern]).admits(&address);
        }

        #[test]
        fn a_text_fits_itself_and_what_stands_for_anything(text in "[a-c./]{0,20}") {
            prop_assert!(fits(text.as_bytes(), text.as_bytes()));
            prop_assert!(fits(b"**", text.as_bytes()));
            prop_assert_eq!(fits(b"*", text.as_bytes()), !text.contains(['.', '/']));
        }
    }
}
