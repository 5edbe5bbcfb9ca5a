//! Filters: which rows, as a tree, and its one rendering to query text.
//!
//! A value stands raw after its operator at the top (`eq.fish, chips`): everything up to the end is the
//! value. Inside a list or a group it is quoted, with `"` and `\` escaped, so no text can end it early.
//! Source: PostgREST, "Reserved characters", and `ApiRequest/QueryParams.hs`.

use std::fmt;
use std::marker::PhantomData;

use uuid::Uuid;

use crate::rest::Column;

/// A value as PostgREST reads it, before quoting.
pub trait Literal: Sized {
    /// The text of the value.
    fn literal(self) -> String;
}

/// A value a column of type `T` compares with. `&str` compares with text, an `i32` with any integer.
pub trait Comparable<T>: Literal {}

macro_rules! literals {
    ($($value:ty => $($column:ty),+;)+) => { $(
        impl Literal for $value {
            fn literal(self) -> String {
                self.to_string()
            }
        }
        $(impl Comparable<$column> for $value {})+
    )+ };
}

literals! {
    bool => bool;
    i16 => i16, i32, i64, f64;
    i32 => i32, i64, f64;
    i64 => i64;
    f64 => f64;
    Uuid => Uuid;
    String => String;
    &str => String;
    &String => String;
}

/// Which rows of the table whose row is `R`.
pub struct Filter<R> {
    node: Node,
    of: PhantomData<fn() -> R>,
}

#[derive(Clone)]
enum Node {
    Compare { column: &'static str, negated: bool, test: Test },
    Group { all: bool, negated: bool, nodes: Vec<Self> },
}

#[derive(Clone)]
enum Test {
    /// An operator and the value after it.
    Value(&'static str, String),
    /// `is`, with one of the words it takes.
    Is(&'static str),
    In(Vec<String>),
}

impl<R, T> Column<R, T> {
    /// Equal. Null equals nothing: see [`Column::is_null`].
    pub fn eq(self, value: impl Comparable<T>) -> Filter<R> {
        self.compare("eq", value)
    }

    /// Not equal; a null is not unequal either.
    pub fn neq(self, value: impl Comparable<T>) -> Filter<R> {
        self.compare("neq", value)
    }

    /// Greater.
    pub fn gt(self, value: impl Comparable<T>) -> Filter<R> {
        self.compare("gt", value)
    }

    /// Greater or equal.
    pub fn gte(self, value: impl Comparable<T>) -> Filter<R> {
        self.compare("gte", value)
    }

    /// Less.
    pub fn lt(self, value: impl Comparable<T>) -> Filter<R> {
        self.compare("lt", value)
    }

    /// Less or equal.
    pub fn lte(self, value: impl Comparable<T>) -> Filter<R> {
        self.compare("lte", value)
    }

    /// Null.
    pub fn is_null(self) -> Filter<R> {
        self.test(Test::Is("null"))
    }

    /// One of several. None of them for an empty list.
    pub fn is_in<V: Comparable<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<R> {
        self.test(Test::In(values.into_iter().map(|value| value.literal()).collect()))
    }

    /// Ascending by this column.
    pub fn asc(self) -> Order<R> {
        Order { column: self.name(), way: "asc", of: PhantomData }
    }

    /// Descending by this column.
    pub fn desc(self) -> Order<R> {
        Order { column: self.name(), way: "desc", of: PhantomData }
    }

    fn compare(self, operator: &'static str, value: impl Comparable<T>) -> Filter<R> {
        self.test(Test::Value(operator, value.literal()))
    }

    fn test(self, test: Test) -> Filter<R> {
        Filter::new(Node::Compare { column: self.name(), negated: false, test })
    }
}

impl<R> Filter<R> {
    fn new(node: Node) -> Self {
        Self { node, of: PhantomData }
    }

    /// Rows that pass both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.group(true, other)
    }

    /// Rows that pass either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.group(false, other)
    }

    fn group(self, all: bool, other: Self) -> Self {
        let mut nodes = match self.node {
            Node::Group { all: same, negated: false, nodes } if same == all => nodes,
            node => vec![node],
        };
        nodes.push(other.node);
        Self::new(Node::Group { all, negated: false, nodes })
    }

    /// The query pair that says so.
    pub(super) fn pair(self) -> (String, String) {
        match &self.node {
            Node::Compare { column, negated, test } => {
                (quoted_name(column), test.render(*negated, Place::Top))
            }
            Node::Group { all, negated, nodes } => {
                (format!("{}{}", not(*negated), word(*all)), format!("({})", list(nodes)))
            }
        }
    }
}

/// The opposite. Null is neither: where a comparison with null gives nothing, so does its opposite.
impl<R> std::ops::Not for Filter<R> {
    type Output = Self;

    fn not(self) -> Self {
        Self::new(match self.node {
            Node::Compare { column, negated, test } => Node::Compare { column, negated: !negated, test },
            Node::Group { all, negated, nodes } => Node::Group { all, negated: !negated, nodes },
        })
    }
}

impl<R> fmt::Debug for Filter<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = match &self.node {
            Node::Compare { column, .. } => column,
            Node::Group { all, .. } => word(*all),
        };
        write!(out, "Filter(on {on}, value hidden)")
    }
}

/// Where a value stands, which decides how it is quoted.
#[derive(Clone, Copy)]
enum Place {
    Top,
    Inside,
}

impl Test {
    fn render(&self, negated: bool, place: Place) -> String {
        let not = not(negated);
        match (self, place) {
            (Self::Value(operator, value), Place::Top) => format!("{not}{operator}.{value}"),
            (Self::Value(operator, value), Place::Inside) => format!("{not}{operator}.{}", quoted(value)),
            (Self::Is(word), _) => format!("{not}is.{word}"),
            (Self::In(values), _) => {
                let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
                format!("{not}in.({})", values.join(","))
            }
        }
    }
}

impl Node {
    fn render(&self) -> String {
        match self {
            Self::Compare { column, negated, test } => {
                format!("{}.{}", quoted_name(column), test.render(*negated, Place::Inside))
            }
            Self::Group { all, negated, nodes } => {
                format!("{}{}({})", not(*negated), word(*all), list(nodes))
            }
        }
    }
}

fn list(nodes: &[Node]) -> String {
    nodes.iter().map(Node::render).collect::<Vec<_>>().join(",")
}

fn not(negated: bool) -> &'static str {
    if negated { "not." } else { "" }
}

fn word(all: bool) -> &'static str {
    if all { "and" } else { "or" }
}

/// A value inside a list: quoted unless it is plain. The words null, true and false are quoted too, so
/// that a text stays a text.
fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let keyword = matches!(value, "null" | "true" | "false" | "unknown");
    if !value.is_empty() && value.bytes().all(plain) && !keyword {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A column's name in a query: quoted unless it is plain.
pub(super) fn quoted_name(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && name.bytes().all(plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An order of rows.
pub struct Order<R> {
    column: &'static str,
    way: &'static str,
    of: PhantomData<fn() -> R>,
}

impl<R> Order<R> {
    pub(super) fn render(self) -> String {
        format!("{}.{}", quoted_name(self.column), self.way)
    }
}

impl<R> fmt::Debug for Order<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Order({} {})", self.column, self.way)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Note;
    const TITLE: Column<Note, String> = Column::new("title");
    const YEAR: Column<Note, i64> = Column::new("the year");

    #[test]
    fn filters_render_as_postgrest_reads_them() {
        let cases: [(Filter<Note>, &str, &str); 7] = [
            (TITLE.eq("fish, chips"), "title", "eq.fish, chips"),
            (!TITLE.is_null(), "title", "not.is.null"),
            (YEAR.gte(2020_i64), "\"the year\"", "gte.2020"),
            (TITLE.is_in(["a", "b,c", "q\"\\", "null", ""]), "title", r#"in.(a,"b,c","q\"\\","null","")"#),
            (TITLE.is_in([""; 0]), "title", "in.()"),
            (TITLE.eq("a)").or(YEAR.lt(3_i64)), "or", r#"(title.eq."a)","the year".lt.3)"#),
            (
                !TITLE.eq("a").and(TITLE.neq("b").or(YEAR.gt(1_i64))),
                "not.and",
                r#"(title.eq.a,or(title.neq.b,"the year".gt.1))"#,
            ),
        ];
        for (filter, name, value) in cases {
            assert_eq!(filter.pair(), (name.to_owned(), value.to_owned()));
        }
    }

    proptest! {
        /// Reads a list back the way PostgREST does: a quote ends a value only where it is not escaped.
        #[test]
        fn no_text_leaves_its_quotes(values in proptest::collection::vec(".*", 1..4)) {
            let (_, text) = TITLE.is_in(values.iter()).pair();
            let mut inside = text.strip_prefix("in.(").unwrap().strip_suffix(')').unwrap().chars().peekable();
            let mut read = vec![String::new()];
            let mut in_quotes = false;
            while let Some(char) = inside.next() {
                let last = read.last_mut().unwrap();
                match char {
                    '\\' if in_quotes => last.push(inside.next().unwrap()),
                    '"' => in_quotes = !in_quotes,
                    ',' if !in_quotes => read.push(String::new()),
                    char => last.push(char),
                }
            }
            prop_assert_eq!(read, values);
        }
    }
}
