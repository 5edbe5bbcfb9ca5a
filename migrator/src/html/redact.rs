//! Text of the file's own naming, without addresses of people and without end.

use crate::report::masked;

/// The longest text that is shown whole, but for a mapping, which has lines.
const LONGEST: usize = 120;

/// A text with the e-mail addresses in it masked, and each of its lines cut.
pub(super) fn redacted(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| cut(&plain(&without_addresses(line)))).collect();
    lines.join("\n")
}

/// Without the characters that a page shows as something else, or not at all.
fn plain(line: &str) -> String {
    let shown =
        |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    line.chars().map(shown).collect()
}

fn without_addresses(line: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(line.len()), line);
    while let Some(at) = rest.find('@') {
        let is_name = |character: char| character.is_alphanumeric() || "._%+-".contains(character);
        let is_host = |character: char| character.is_alphanumeric() || ".-".contains(character);
        let name = rest[..at].trim_end_matches(is_name).len();
        let host = rest[at + 1..].trim_start_matches(is_host);
        let end = rest.len() - host.len();
        out.push_str(&rest[..name]);
        match (name < at, rest[at + 1..end].contains('.')) {
            (true, true) => out.push_str(&masked(&rest[name..end])),
            (_, _) => out.push_str(&rest[name..end]),
        }
        rest = &rest[end..];
    }
    out + rest
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_wherever_they_stand() {
        for (text, shown) in [
            ("/data/zoé.k@example.com/0", "/data/z•••@example.com/0"),
            ("owner = \"a@b.fr\", \"c@d.fr\"", "owner = \"a•••@b.fr\", \"c•••@d.fr\""),
            ("@media and a@host", "@media and a@host"),
            ("@", "@"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let long = "é".repeat(1_000);
        assert_eq!(redacted(&format!("{long}\nshort")), format!("{}…\nshort", "é".repeat(LONGEST)));
    }
}
