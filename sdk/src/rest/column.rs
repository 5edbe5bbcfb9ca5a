//! Columns: a name, the row it belongs to, and the type of its values.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

use crate::rest::filter::{Node, Test};
use crate::rest::literal::{Any, Comparable, Container, Literal, Searchable, Textual};
use crate::rest::order::Order;
use crate::rest::range::Range;
use crate::rest::{Filter, quote};

/// A column of the table whose row is `R`, holding `T` or null. `#[derive(Table)]` makes one for each
/// field; [`col`] names one at run time.
///
/// ```compile_fail
/// # use supabase_sdk::Column;
/// # struct Note;
/// const ARCHIVED: Column<Note, bool> = Column::new("archived");
/// let _ = ARCHIVED.eq("no");        // a bool column does not compare with text
/// ```
pub struct Column<R, T, N = &'static str> {
    name: N,
    of: PhantomData<fn() -> (R, T)>,
}

/// A column named at run time. Fits any table, and compares with anything.
///
/// ```
/// use serde_json::Value;
/// use supabase_sdk::rest::{Filter, col};
/// let filter: Filter<Value> = col("name").eq("Ada").or(col("age").gte(36));
/// assert_eq!(filter.pair(), ("or".to_owned(), "(name.eq.Ada,age.gte.36)".to_owned()));
/// ```
pub fn col<R>(name: impl Into<String>) -> Column<R, Any, String> {
    Column { name: quote::name(&name.into()).into_owned(), of: PhantomData }
}

/// What a column is called in a query: quoted where its name needs that.
pub trait Name {
    /// The name as it stands in a query.
    fn render(self) -> Cow<'static, str>;
}

impl Name for &'static str {
    fn render(self) -> Cow<'static, str> {
        quote::name(self)
    }
}

/// Rendered already.
impl Name for String {
    fn render(self) -> Cow<'static, str> {
        Cow::Owned(self)
    }
}

impl<R, T> Column<R, T> {
    /// Names a column.
    pub const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident = $operator:literal)+) => { $(
        $(#[$doc])*
        pub fn $name(self, value: impl Comparable<T>) -> Filter<R> {
            self.compare($operator, value)
        }
    )+ };
}

macro_rules! patterns {
    ($($(#[$doc:meta])* $name:ident = $operator:literal)+) => { $(
        $(#[$doc])*
        pub fn $name(self, pattern: impl Into<String>) -> Filter<R>
        where
            T: Textual,
        {
            self.test(Test::Value($operator.into(), pattern.into()))
        }
    )+ };
}

macro_rules! quantified {
    ($value:ident => $text:expr, $bound:path, $column:path; $($any:ident $all:ident = $operator:literal)+) => { $(
        #[doc = concat!("As `", $operator, "`, and one of the values is enough.")]
        pub fn $any<$value: $bound>(self, values: impl IntoIterator<Item = $value>) -> Filter<R>
        where
            T: $column,
        {
            self.quantified(concat!($operator, "(any)"), values.into_iter().map($text))
        }

        #[doc = concat!("As `", $operator, "`, for every one of the values.")]
        pub fn $all<$value: $bound>(self, values: impl IntoIterator<Item = $value>) -> Filter<R>
        where
            T: $column,
        {
            self.quantified(concat!($operator, "(all)"), values.into_iter().map($text))
        }
    )+ };
}

impl<R, T, N: Name> Column<R, T, N> {
    comparisons! {
        /// Equal. Null equals nothing: see [`Column::is_null`].
        eq = "eq"
        /// Not equal; a null is not unequal either: see [`Column::is_distinct`].
        neq = "neq"
        /// Greater.
        gt = "gt"
        /// Greater or equal.
        gte = "gte"
        /// Less.
        lt = "lt"
        /// Less or equal.
        lte = "lte"
        /// Not equal, where null is a value like others: a null is distinct from all but null.
        is_distinct = "isdistinct"
    }

    quantified! { V => Literal::literal, Comparable<T>, Sized;
        eq_any_of eq_all_of = "eq"
        gt_any_of gt_all_of = "gt"
        gte_any_of gte_all_of = "gte"
        lt_any_of lt_all_of = "lt"
        lte_any_of lte_all_of = "lte"
    }

    /// Null.
    pub fn is_null(self) -> Filter<R> {
        self.test(Test::Is("null"))
    }

    /// Not null.
    pub fn is_not_null(self) -> Filter<R> {
        !self.is_null()
    }

    /// One of several. None of them for an empty list.
    pub fn is_in<V: Comparable<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<R> {
        self.test(Test::In(values.into_iter().map(Literal::literal).collect()))
    }

    /// None of several; a null is not among them either.
    pub fn not_in<V: Comparable<T>>(self, values: impl IntoIterator<Item = V>) -> Filter<R> {
        !self.is_in(values)
    }

    /// Ascending by this column; nulls come last.
    pub fn asc(self) -> Order<R> {
        Order::by(self.name.render(), false)
    }

    /// Descending by this column; nulls come first.
    pub fn desc(self) -> Order<R> {
        Order::by(self.name.render(), true)
    }

    pub(super) fn render(self) -> Cow<'static, str> {
        self.name.render()
    }

    fn compare(self, operator: &'static str, value: impl Literal) -> Filter<R> {
        self.test(Test::Value(operator.into(), value.literal()))
    }

    fn quantified(self, operator: &'static str, values: impl Iterator<Item = String>) -> Filter<R> {
        self.test(Test::Value(operator.into(), quote::array(&values.collect::<Vec<_>>())))
    }

    fn test(self, test: Test) -> Filter<R> {
        Filter::new(Node::Compare { column: self.name.render(), negated: false, test })
    }
}

/// A column type that is true, false or null.
#[diagnostic::on_unimplemented(message = "a column of type `{Self}` is neither true nor false")]
pub trait Truth {}
impl Truth for bool {}
impl Truth for Any {}

/// Truth.
impl<R, T: Truth, N: Name> Column<R, T, N> {
    /// True; a null is not.
    pub fn is_true(self) -> Filter<R> {
        self.test(Test::Is("true"))
    }

    /// False; a null is not.
    pub fn is_false(self) -> Filter<R> {
        self.test(Test::Is("false"))
    }

    /// Neither true nor false: null, as SQL's `is unknown` has it.
    pub fn is_unknown(self) -> Filter<R> {
        self.test(Test::Is("unknown"))
    }
}

/// Patterns. `%` stands for any text and `_` for one character; `*` is read as `%`, so a pattern cannot
/// look for it. Search for a text literally by escaping these with a backslash.
impl<R, T, N: Name> Column<R, T, N> {
    patterns! {
        /// Matches a pattern.
        like = "like"
        /// Matches a pattern, whatever the case.
        ilike = "ilike"
        /// Matches a POSIX regular expression.
        regex = "match"
        /// Matches a POSIX regular expression, whatever the case.
        iregex = "imatch"
    }

    quantified! { V => Into::into, Into<String>, Textual;
        like_any_of like_all_of = "like"
        ilike_any_of ilike_all_of = "ilike"
        regex_any_of regex_all_of = "match"
        iregex_any_of iregex_all_of = "imatch"
    }

    /// Full-text search, over text or a `tsvector`.
    pub fn matches(self, search: impl Into<TextSearch>) -> Filter<R>
    where
        T: Searchable,
    {
        let search = search.into();
        self.test(Test::Value(search.operator().into(), search.text))
    }
}

/// Containment, for arrays, ranges and JSON.
impl<R, T: Container, N: Name> Column<R, T, N> {
    comparisons! {
        /// Contains all of the value.
        contains = "cs"
        /// Is contained in the value.
        contained_by = "cd"
        /// Shares an element, or a point, with the value. Not for JSON.
        overlaps = "ov"
    }
}

macro_rules! range_comparisons {
    ($(<$($param:ident)?> $column:ty),+) => { $(
        /// How a range lies to another.
        impl<R, $($param,)? N: Name> Column<R, $column, N> {
            comparisons_of! { $column;
                /// All of it comes after all of the value.
                range_gt = "sr"
                /// None of it comes before the value.
                range_gte = "nxl"
                /// All of it comes before all of the value.
                range_lt = "sl"
                /// None of it comes after the value.
                range_lte = "nxr"
                /// Touches the value, without a gap and without a shared point.
                range_adjacent = "adj"
            }
        }
    )+ };
}

macro_rules! comparisons_of {
    ($column:ty; $($(#[$doc:meta])* $name:ident = $operator:literal)+) => { $(
        $(#[$doc])*
        pub fn $name(self, range: impl Comparable<$column>) -> Filter<R> {
            self.compare($operator, range)
        }
    )+ };
}

range_comparisons! { <T> Range<T>, <> Any }

/// One step into JSON: a key, or the number of an element. A text is a key even if it looks like a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonStep(String);

impl From<&str> for JsonStep {
    fn from(key: &str) -> Self {
        let number = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        Self(if number { format!("\"{key}\"") } else { quote::name(key).into_owned() })
    }
}

impl From<String> for JsonStep {
    fn from(key: String) -> Self {
        Self::from(key.as_str())
    }
}

/// Counted from 0; from the end, where negative.
impl From<i32> for JsonStep {
    fn from(element: i32) -> Self {
        Self(element.to_string())
    }
}

/// Steps into JSON.
impl<R, N: Name> Column<R, Value, N> {
    /// The value at a key, as JSON: `preferences->notifications`.
    pub fn json(self, key: impl Into<JsonStep>) -> Column<R, Value, String> {
        self.step("->", key)
    }

    /// The value at a key, as text: `preferences->>theme`.
    pub fn json_text(self, key: impl Into<JsonStep>) -> Column<R, String, String> {
        self.step("->>", key)
    }
}

/// Steps into JSON, from a column named at run time.
impl<R> Column<R, Any, String> {
    /// The value at a key, as JSON: `preferences->notifications`.
    pub fn json(self, key: impl Into<JsonStep>) -> Self {
        self.step("->", key)
    }

    /// The value at a key, as text: `preferences->>theme`.
    pub fn json_text(self, key: impl Into<JsonStep>) -> Self {
        self.step("->>", key)
    }
}

impl<R, T, N: Name> Column<R, T, N> {
    fn step<U>(self, arrow: &str, step: impl Into<JsonStep>) -> Column<R, U, String> {
        let name = [&*self.name.render(), arrow, &step.into().0].concat();
        Column { name, of: PhantomData }
    }
}

impl<R, T, N: Clone> Clone for Column<R, T, N> {
    fn clone(&self) -> Self {
        Self { name: self.name.clone(), of: PhantomData }
    }
}

impl<R, T, N: Copy> Copy for Column<R, T, N> {}

impl<R, T, N: fmt::Display> fmt::Debug for Column<R, T, N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Column({})", self.name)
    }
}

/// What a full-text search looks for. A plain `&str` is a tsquery, `'fat' & 'cat'`.
#[derive(Clone)]
pub struct TextSearch {
    text: String,
    parser: &'static str,
    config: Option<String>,
}

impl TextSearch {
    fn new(text: impl Into<String>, parser: &'static str) -> Self {
        Self { text: text.into(), parser, config: None }
    }

    /// A tsquery, as `to_tsquery` reads it.
    pub fn query(text: impl Into<String>) -> Self {
        Self::new(text, "fts")
    }

    /// Words that must all occur, as `plainto_tsquery` reads them.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::new(text, "plfts")
    }

    /// Words that follow each other, as `phraseto_tsquery` reads them.
    pub fn phrase(text: impl Into<String>) -> Self {
        Self::new(text, "phfts")
    }

    /// What people type into a search box, as `websearch_to_tsquery` reads it.
    pub fn web(text: impl Into<String>) -> Self {
        Self::new(text, "wfts")
    }

    /// Uses a text search configuration: `english`, `french`. What no configuration's name can hold is left
    /// out of it.
    #[must_use]
    pub fn config(mut self, config: &str) -> Self {
        let config = config.chars().filter(|char| char.is_alphanumeric() || matches!(char, '_' | '-'));
        self.config = Some(config.collect());
        self
    }

    fn operator(&self) -> String {
        match &self.config {
            Some(config) => format!("{}({config})", self.parser),
            None => self.parser.to_owned(),
        }
    }
}

impl From<&str> for TextSearch {
    fn from(text: &str) -> Self {
        Self::query(text)
    }
}

impl From<String> for TextSearch {
    fn from(text: String) -> Self {
        Self::query(text)
    }
}

impl fmt::Debug for TextSearch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TextSearch({}, text hidden)", self.operator())
    }
}
