//! Where a collection lies, and how its records are counted.
//!
//! `customers[*]` is a list, one record an item. `bookings{*}` is an object, one record a
//! member. `days{*}[*]` is an object of lists, `sites{*}{*}` one of objects. `settings` is one record, and
//! `prefs_*` one for each key of this form. Steps are separated by `/` and escaped as in a JSON
//! Pointer. A path that begins with `/` starts at the document; any other starts at the
//! root of the recognised shape, with the shape's prefix before its first step.

use std::fmt;
use std::str::FromStr;

use crate::export::{Document, Items, Outline};
use crate::pointer::Pointer;

/// A path as a mapping writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    absolute: bool,
    steps: Vec<String>,
    /// What is counted as a record.
    pub items: Items,
}

impl Path {
    /// The place of the collection, in a shape with this root and prefix.
    pub fn at(&self, root: &Pointer, prefix: &str) -> Pointer {
        let (start, prefix) = if self.absolute { (&Pointer::root(), "") } else { (root, prefix) };
        self.steps.iter().enumerate().fold(start.clone(), |pointer, (place, step)| match place {
            0 => pointer.member(&format!("{prefix}{step}")),
            _ => pointer.member(step),
        })
    }

    /// True when the path starts at the document whatever the shape is.
    pub fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// True for `$`, the record that a child would lie in.
    pub(crate) fn is_the_record(&self) -> bool {
        !self.absolute && self.items == Items::One && self.steps == ["$"]
    }

    /// True for a path that names every step of it.
    pub(crate) fn is_plain(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| !step.contains('*'))
    }

    /// The steps of a path inside a record.
    pub(crate) fn steps(&self) -> &[String] {
        &self.steps
    }

    /// The collections of a document that the path leads to: several where its last step has a star.
    pub(crate) fn find<'d>(&self, root: &Pointer, prefix: &str, document: &'d Document) -> Vec<Found<'d>> {
        let at = self.at(root, prefix);
        let stars = self.steps.last().is_some_and(|step| step.contains('*'));
        if !stars {
            let found = document.find(&at).map(|outline| {
                // A document that is a list answers to its name, and lies at its root all the same.
                let at = if std::ptr::eq(outline, &document.root) { Pointer::root() } else { at };
                Found { at, outline, group: None }
            });
            return found.into_iter().collect();
        }
        let mut segments: Vec<String> = at.segments().collect();
        let pattern = segments.pop().unwrap_or_default();
        let parent = segments.iter().fold(Pointer::root(), |parent, segment| parent.member(segment));
        let Some(members) = document.find(&parent).and_then(Outline::members) else { return Vec::new() };
        let matching = members.iter().filter(|(name, _)| fits(&pattern, name));
        let found = matching.map(|(name, outline)| Found {
            at: parent.member(name),
            outline,
            group: Some(name.clone()),
        });
        found.collect()
    }

    /// True if the place matches, `*` in a step standing for any characters.
    pub(crate) fn matches(&self, root: &Pointer, prefix: &str, place: &Pointer) -> bool {
        let pattern: Vec<String> = self.at(root, prefix).segments().collect();
        let place: Vec<String> = place.segments().collect();
        pattern.len() == place.len() && pattern.iter().zip(&place).all(|(pattern, step)| fits(pattern, step))
    }
}

/// A collection of a document.
#[derive(Debug, Clone)]
pub(crate) struct Found<'d> {
    pub(crate) at: Pointer,
    pub(crate) outline: &'d Outline,
    /// The key that a star stood for.
    pub(crate) group: Option<String>,
}

impl FromStr for Path {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The longer endings first: each ends in a shorter one.
        let endings = [Items::Lists, Items::Maps, Items::List, Items::Members];
        let ending = endings.into_iter().find_map(|items| Some((text.strip_suffix(items.suffix())?, items)));
        let (way, items) = ending.unwrap_or((text, Items::One));
        if text.is_empty() {
            return Err("an empty path; write `[*]` if the file itself is the list".to_owned());
        }
        if way.contains(['[', '{']) {
            return Err(format!("`{text}`: [*] and {{*}} may stand at the end only"));
        }
        let (before, _) = way.rsplit_once('/').unwrap_or(("", way));
        if before.contains('*') {
            return Err(format!("`{text}`: a star may stand in the last step only"));
        }
        let absolute = way.starts_with('/');
        let pointer = if absolute { way.to_owned() } else { format!("/{way}") };
        let steps = match way {
            "" => Vec::new(),
            _ => Pointer::parse(&pointer).ok_or_else(|| format!("`{text}` is no path"))?.segments().collect(),
        };
        Ok(Self { absolute, steps, items })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = self.at(&Pointer::root(), "");
        let way = if self.absolute { way.as_str() } else { way.as_str().trim_start_matches('/') };
        f.write_str(way)?;
        f.write_str(self.items.suffix())
    }
}

/// Wild-card matching: the parts between stars occur in their order.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, mut tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    while let Some((part, after)) = tail.split_once('*') {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        (rest, tail) = (behind, after);
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_placed_by_its_shape() {
        let at = |path: &str, root: &str, prefix: &str| {
            let root = Pointer::parse(root).expect("a pointer");
            path.parse::<Path>().expect("a path").at(&root, prefix).as_str().to_owned()
        };
        assert_eq!(at("customers[*]", "/data", ""), "/data/customers");
        assert_eq!(at("customers[*]", "", "spark_kv_"), "/spark_kv_customers");
        assert_eq!(at("state/expenses[*]", "", "app-"), "/app-state/expenses");
        assert_eq!(at("/settings", "/data", "x"), "/settings");
        assert_eq!(at("[*]", "", "x"), "");
        for text in ["", "a[*]b", "a[0]", "[*]{*}", "a*/b"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
        for text in ["customers[*]", "/a/b{*}", "settings", "a~1b", "days{*}[*]", "{*}{*}", "prefs_*"] {
            assert_eq!(text.parse::<Path>().expect("a path").to_string(), text);
        }
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("users", "users", true),
            ("sb-*-auth-token", "sb-abcd-auth-token", true),
            ("sb-*-auth-token", "sb-auth-token", false),
            ("*", "", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
