//! A file that lies in a field, and where it goes.

use std::fmt;
use std::str::FromStr;

/// What becomes of a picture or another file that a field holds as a data URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The bucket.
    pub bucket: String,
    /// The name in it.
    pub path: Pattern,
    /// The types that are taken, such as `image/png` or `image/*`; none means any.
    pub accept: Vec<String>,
    /// The largest file, in bytes.
    pub max: Option<u64>,
}

/// A name with places for what is known of a file: `{owner}`, `{id}`, `{sha256}`, `{ext}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Owner,
    Id,
    Sha256,
    Extension,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// Whose it is.
    pub owner: uuid::Uuid,
    /// The row it belongs to.
    pub id: uuid::Uuid,
    /// The hash of its bytes, in hexadecimal.
    pub sha256: &'a str,
    /// The ending of its type.
    pub extension: &'a str,
}

impl Media {
    /// True for a type that is taken.
    pub fn accepts(&self, kind: &str) -> bool {
        let takes = |accepted: &String| match accepted.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == accepted,
        };
        self.accept.is_empty() || self.accept.iter().any(takes)
    }
}

impl Pattern {
    /// The name of a file.
    pub fn fill(&self, known: Known<'_>) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Owner => known.owner.to_string(),
            Part::Id => known.id.to_string(),
            Part::Sha256 => known.sha256.to_owned(),
            Part::Extension => known.extension.to_owned(),
        };
        self.0.iter().map(part).collect()
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) =
                behind.split_once('}').ok_or_else(|| format!("`{text}`: a {{ without a }}"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(match name {
                "owner" => Part::Owner,
                "id" => Part::Id,
                "sha256" => Part::Sha256,
                "ext" => Part::Extension,
                _ => {
                    return Err(format!("`{text}`: unknown {{{name}}}; known are owner, id, sha256 and ext"));
                }
            });
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        if !parts.contains(&Part::Sha256) && !parts.contains(&Part::Id) {
            return Err(format!("`{text}`: all files would have one name; write {{sha256}} or {{id}} in it"));
        }
        Ok(Self(parts))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => out.write_str(text),
            Part::Owner => out.write_str("{owner}"),
            Part::Id => out.write_str("{id}"),
            Part::Sha256 => out.write_str("{sha256}"),
            Part::Extension => out.write_str("{ext}"),
        })
    }
}

/// A size such as `8MiB`, `500kB` or `1024`, in bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)? {
        "" | "B" => 1,
        "kB" | "KB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        _ => return None,
    };
    digits.trim().parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_needs_something_that_differs() {
        let known = Known { owner: uuid::Uuid::nil(), id: uuid::Uuid::max(), sha256: "ab", extension: "png" };
        let fill = |text: &str| text.parse::<Pattern>().map(|pattern| pattern.fill(known));
        assert_eq!(fill("a/{sha256}.{ext}").as_deref(), Ok("a/ab.png"));
        assert_eq!(fill("{owner}/{id}").unwrap().len(), 73);
        assert!(fill("a.png").is_err() && fill("{sha256").is_err() && fill("{name}").is_err());
        assert_eq!(
            "{owner}/{sha256}.{ext}".parse::<Pattern>().unwrap().to_string(),
            "{owner}/{sha256}.{ext}"
        );
        assert_eq!((size("8MiB"), size("1024"), size("2 GB")), (Some(8 << 20), Some(1024), None));
    }
}
