//! Where a value stands in the export, as a JSON Pointer (RFC 6901).
//!
//! A pointer goes straight through values that were JSON inside a text:
//! `/spark_kv_entities_customers/3` is the fourth record of that localStorage key.

use std::fmt;

use crate::node::Node;

/// A place in the export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pointer(String);

impl Pointer {
    /// The whole document.
    pub fn root() -> Self {
        Self::default()
    }

    /// The root of one file among several: `customers.json#`.
    pub(crate) fn in_file(file: &str) -> Self {
        Self(format!("{file}#"))
    }

    /// A place below this one.
    #[must_use]
    pub(crate) fn join(&self, below: &Self) -> Self {
        Self(format!("{}{}", self.0, below.0))
    }

    /// A pointer as [`Pointer::as_str`] gave it.
    pub(crate) fn as_written(text: String) -> Self {
        Self(text)
    }

    /// Reads a pointer: empty, or segments that each begin with `/`.
    pub fn parse(text: &str) -> Option<Self> {
        (text.is_empty() || text.starts_with('/')).then(|| Self(text.to_owned()))
    }

    /// The member of this name.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        Self(format!("{}/{}", self.0, name.replace('~', "~0").replace('/', "~1")))
    }

    /// The item at this place of a list.
    #[must_use]
    pub fn item(&self, index: usize) -> Self {
        Self(format!("{}/{index}", self.0))
    }

    /// The pointer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names on the way, unescaped.
    pub fn segments(&self) -> impl Iterator<Item = String> {
        self.0.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
    }

    /// True when the way to `other` leads through here, or ends here.
    pub(crate) fn leads_to(&self, other: &Self) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The value that stands here.
    pub fn find<'a>(&self, document: &'a Node) -> Option<&'a Node> {
        self.segments().try_fold(document, |node, segment| match node {
            Node::Map(members) => members.get(&segment),
            Node::List(items) => items.get(segment.parse::<usize>().ok()?),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) => None,
        })
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_name_finds_its_member_again(name in ".*") {
            let document = Node::Map([(name.clone(), Node::Bool(true))].into_iter().collect());
            let pointer = Pointer::root().member(&name);
            prop_assert_eq!(pointer.find(&document), Some(&Node::Bool(true)));
            prop_assert!(Pointer::root().leads_to(&pointer));
        }
    }
}
