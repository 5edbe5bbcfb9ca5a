//! What stands in one place of an export, over all of its records.
//!
//! A [`Place`] is fed every value that stands there, one after the other, and keeps counts: it
//! never keeps a record. What it keeps per place is bounded: sets of different values and of
//! different names stop growing at a limit and say so, and places stop being made at a depth.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use indexmap::IndexMap;

use super::names;
use super::text::{self, LOOKS, Look};
use crate::convert;
use crate::identity;
use crate::node::{Map, Node};
use crate::number::Number;
use crate::secret;

/// How many different values a place tells apart.
const MOST_VALUES: usize = 100_000;

/// How many, where the name says that these are ids.
const MOST_IDS: usize = 2_000_000;

/// How many names of members a place tells apart before it looks at what they have in common.
const MOST_NAMES: usize = 256;

/// How many short words a place remembers.
const MOST_WORDS: usize = 12;

/// How many sets of names records may have before nobody counts them.
const MOST_FORMS: usize = 256;

/// How deep places lie in each other.
const DEEPEST: usize = 12;

/// How many bytes of a text are looked at as JSON.
const LONGEST_JSON: usize = 4 << 20;

/// Decimals up to which dust can be told.
const SCALES: u32 = 5;

/// What stands in one place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// How many values there are.
    pub(crate) count: u64,
    /// Those that are null.
    pub(crate) nulls: u64,
    /// Those that are an empty text.
    pub(crate) empties: u64,
    /// Those that are a boolean.
    pub(crate) bools: u64,
    /// Values that are a secret by their name, and were not looked at.
    pub(crate) secrets: u64,
    /// The numbers among them.
    pub(crate) numbers: Numbers,
    /// The texts among them that are not empty.
    pub(crate) texts: Texts,
    /// The lists among them.
    pub(crate) lists: Lists,
    /// The objects among them.
    pub(crate) maps: Maps,
    /// The different scalars.
    pub(crate) values: Values,
}

/// What numbers have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Numbers {
    pub(crate) count: u64,
    /// Spelt with a point or an exponent.
    pub(crate) pointed: u64,
    /// With something behind the point.
    pub(crate) fractions: u64,
    /// Beyond 32 bits.
    pub(crate) beyond_int4: u64,
    /// Beyond 64 bits.
    pub(crate) beyond_int8: u64,
    /// With more digits than a decimal holds.
    pub(crate) too_long: u64,
    /// In the range of milliseconds since 1970.
    pub(crate) milliseconds: u64,
    /// In the range of seconds since 1970.
    pub(crate) seconds: u64,
    pub(crate) zeros: u64,
    pub(crate) negatives: u64,
    /// The most digits before a point.
    pub(crate) whole_digits: u64,
    /// The most decimals of a number that is short enough to have been typed.
    pub(crate) decimals: u32,
    /// Long numbers, by the fewest decimals at which what is left is dust.
    pub(crate) dusty: [u64; SCALES as usize],
    /// Long numbers that are no dust at any of these.
    pub(crate) precise: u64,
    pub(crate) least: Option<i64>,
    pub(crate) most: Option<i64>,
}

/// What texts have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    pub(crate) count: u64,
    looks: [u64; LOOKS],
    pub(crate) longest: usize,
    pub(crate) bytes: u64,
    /// Words of a list to choose from, with their counts; none once there are too many.
    pub(crate) words: BTreeMap<String, u64>,
    /// More than can be a list to choose from, or longer than a word.
    pub(crate) wordy: bool,
    /// Bytes of data URLs, and their types.
    pub(crate) media: BTreeMap<String, (u64, u64)>,
    /// The least and the most of the texts that are ISO dates.
    pub(crate) dates: Option<(String, String)>,
    /// Dates whose day comes first beyond doubt, and those whose month does.
    pub(crate) only_dmy: u64,
    pub(crate) only_mdy: u64,
    /// What stands in texts that are lists or objects.
    pub(crate) opened: Option<Box<Place>>,
}

/// What lists have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    pub(crate) count: u64,
    pub(crate) empty: u64,
    /// What stands in them.
    pub(crate) items: Option<Box<Place>>,
}

/// What objects have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct Maps {
    pub(crate) count: u64,
    pub(crate) empty: u64,
    /// What stands in their members, by name; a `*` in a name once there are too many names.
    pub(crate) fields: IndexMap<String, Place>,
    /// True once names were put together.
    pub(crate) folded: bool,
    /// The objects themselves.
    pub(crate) records: Values,
    /// Which names go together, and how often; none once there are too many ways.
    pub(crate) forms: HashMap<Vec<u32>, u64>,
    /// Too many ways to count.
    pub(crate) formless: bool,
    /// The names they are kept under in the object around them, where that is known.
    pub(crate) keys: Values,
}

/// Different values, told apart by a hash.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    seen: HashMap<u64, Seen>,
    /// True when there are more than are told apart.
    pub(crate) overflow: bool,
    /// True when one value stands in two records that differ.
    pub(crate) conflict: bool,
}

/// One value.
#[derive(Debug, Clone, Copy)]
struct Seen {
    count: u32,
    /// The record it stands in.
    owner: u64,
    /// The same, runs of blanks not counted.
    loose: u64,
}

/// The record a value stands in, as two hashes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    exact: u64,
    loose: u64,
}

impl Place {
    /// Takes one more value, so deep in the document.
    pub(crate) fn take(&mut self, node: &Node, depth: usize) {
        self.note(node, "", Owner::of(node), depth);
    }

    /// Takes one more list, and returns what stands in its items.
    pub(crate) fn begin_list(&mut self) -> &mut Self {
        self.count += 1;
        self.lists.count += 1;
        self.lists.items.get_or_insert_default()
    }

    /// Takes one more object, whose members come one by one.
    pub(crate) fn begin_map(&mut self) {
        self.count += 1;
        self.maps.count += 1;
        self.maps.formless = true;
        self.maps.forms.clear();
    }

    /// Takes a member of the object that was begun.
    pub(crate) fn take_member(&mut self, name: &str, value: &Node, depth: usize) {
        self.maps.note_member(name, value, Owner::default(), depth);
    }

    /// What stands in a member of the object that was begun; nothing for a secret, which is counted.
    pub(crate) fn member(&mut self, name: &str, blank: bool) -> Option<&mut Self> {
        let place = self.maps.place(name);
        if secret::is_secret_name(name) && !blank {
            place.secrets += 1;
            return None;
        }
        Some(place)
    }

    /// Takes one more value, of a record, under a name.
    fn note(&mut self, node: &Node, name: &str, owner: Owner, depth: usize) {
        self.count += 1;
        match node {
            Node::Null => self.nulls += 1,
            Node::Text(text) if text.is_empty() => self.empties += 1,
            Node::Bool(_) => self.bools += 1,
            Node::Number(number) => self.numbers.note(number),
            Node::Text(text) => self.texts.note(text, depth),
            Node::List(items) => {
                self.lists.count += 1;
                self.lists.empty += u64::from(items.is_empty());
                if depth < DEEPEST && !items.is_empty() {
                    let place = self.lists.items.get_or_insert_default();
                    items.iter().for_each(|item| place.note(item, "", Owner::of(item), depth + 1));
                }
            }
            Node::Map(members) => {
                let owner = Owner::of(node);
                self.maps.records.note(owner.exact, owner, MOST_VALUES);
                self.maps.note(members, owner, depth);
            }
        }
        let most = if names::is_id(name) { MOST_IDS } else { MOST_VALUES };
        if let Some(canon) = identity::canon(node).filter(|canon| !canon.is_empty()) {
            self.values.note(hash(&canon), owner, most);
        }
    }

    /// How many values hold something.
    pub(crate) fn filled(&self) -> u64 {
        self.count - self.nulls - self.empties
    }

    /// How many are a text or a number.
    pub(crate) fn scalars(&self) -> u64 {
        self.texts.count + self.numbers.count + self.bools
    }

    /// True if some records are no objects; a hole in a list is no record.
    pub(crate) fn has_plain_records(&self) -> bool {
        self.maps.count + self.nulls < self.count || self.maps.count == 0 && self.count > 0
    }

    /// True if all that is there are objects.
    pub(crate) fn is_records(&self) -> bool {
        self.maps.count > 0 && self.maps.count == self.filled()
    }

    /// True if all that is there are lists.
    pub(crate) fn is_lists(&self) -> bool {
        self.lists.count > 0 && self.lists.count == self.filled()
    }

    /// What stands in a member.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        self.maps.fields.get(name)
    }

    /// What stands in the items of its lists.
    pub(crate) fn items(&self) -> Option<&Self> {
        self.lists.items.as_deref()
    }

    /// Puts what stands in another place beside what stands here.
    pub(crate) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.nulls += other.nulls;
        self.empties += other.empties;
        self.bools += other.bools;
        self.secrets += other.secrets;
        self.numbers.merge(&other.numbers);
        self.texts.merge(other.texts);
        self.lists.count += other.lists.count;
        self.lists.empty += other.lists.empty;
        merge_boxes(&mut self.lists.items, other.lists.items);
        self.maps.merge(other.maps);
        self.values.merge(other.values);
    }
}

impl Numbers {
    fn note(&mut self, number: &Number) {
        self.count += 1;
        self.pointed += u64::from(number.as_str().contains(['.', 'e', 'E']));
        self.negatives += u64::from(number.as_str().starts_with('-'));
        let Some(value) = number.to_decimal() else {
            self.too_long += 1;
            self.beyond_int8 += 1;
            self.beyond_int4 += 1;
            return;
        };
        self.whole_digits = self.whole_digits.max(number.magnitude().max(1).unsigned_abs());
        self.zeros += u64::from(value.is_zero());
        self.milliseconds += u64::from(text::is_epoch(number, false));
        self.seconds += u64::from(text::is_epoch(number, true) && !text::is_epoch(number, false));
        if value.is_integer() {
            let whole = i64::try_from(value).ok();
            self.beyond_int8 += u64::from(whole.is_none());
            self.beyond_int4 += u64::from(whole.is_none_or(|whole| i32::try_from(whole).is_err()));
            if let Some(whole) = whole {
                self.least = Some(self.least.map_or(whole, |least| least.min(whole)));
                self.most = Some(self.most.map_or(whole, |most| most.max(whole)));
            }
            return;
        }
        self.fractions += 1;
        if number.significant_digits() < 15 {
            self.decimals = self.decimals.max(value.normalize().scale());
            return;
        }
        match (0..SCALES).find(|scale| convert::is_dusty(number, *scale)) {
            Some(scale) => {
                if let Some(count) = self.dusty.get_mut(scale as usize) {
                    *count += 1;
                }
            }
            None => self.precise += 1,
        }
    }

    /// How many numbers have dust on them.
    pub(crate) fn dust(&self) -> u64 {
        self.dusty.iter().sum()
    }

    /// The decimals that hold every number once its dust is gone.
    pub(crate) fn clean_scale(&self) -> Option<u32> {
        let dusty = self.dusty.iter().rposition(|count| *count > 0)?;
        let scale = u32::try_from(dusty).ok()?.max(self.decimals);
        (self.precise == 0 && self.too_long == 0 && scale < SCALES).then_some(scale)
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.pointed += other.pointed;
        self.fractions += other.fractions;
        self.beyond_int4 += other.beyond_int4;
        self.beyond_int8 += other.beyond_int8;
        self.too_long += other.too_long;
        self.milliseconds += other.milliseconds;
        self.seconds += other.seconds;
        self.zeros += other.zeros;
        self.negatives += other.negatives;
        self.whole_digits = self.whole_digits.max(other.whole_digits);
        self.decimals = self.decimals.max(other.decimals);
        self.dusty.iter_mut().zip(other.dusty).for_each(|(mine, theirs)| *mine += theirs);
        self.precise += other.precise;
        self.least = [self.least, other.least].into_iter().flatten().min();
        self.most = [self.most, other.most].into_iter().flatten().max();
    }
}

impl Texts {
    /// How many have a look.
    pub(crate) fn with(&self, look: Look) -> u64 {
        self.looks.get(look as usize).copied().unwrap_or(0)
    }

    /// True if all have a look, those that say "no date" aside.
    pub(crate) fn all(&self, look: Look) -> bool {
        self.count > 0 && self.with(look) == self.count
    }

    fn note(&mut self, text: &str, depth: usize) {
        self.count += 1;
        self.longest = self.longest.max(text.chars().count());
        self.bytes += text.len() as u64;
        let (mut word, mut json, mut data, mut iso, mut dmy, mut mdy) =
            (false, false, false, false, false, false);
        text::looks(text, |look| {
            if let Some(count) = self.looks.get_mut(look as usize) {
                *count += 1;
            }
            word |= look == Look::Word;
            json |= look == Look::Json;
            data |= look == Look::DataUrl;
            iso |= matches!(look, Look::IsoDay | Look::IsoLocal | Look::IsoInstant);
            dmy |= look == Look::Dmy;
            mdy |= look == Look::Mdy;
        });
        self.only_dmy += u64::from(dmy && !mdy);
        self.only_mdy += u64::from(mdy && !dmy);
        if data {
            let (count, bytes) = self.media.entry(text::mime(text).to_owned()).or_default();
            *count += 1;
            *bytes += text.len() as u64;
        }
        if iso {
            self.dates = Some(match self.dates.take() {
                None => (text.to_owned(), text.to_owned()),
                Some((least, most)) => (least.min(text.to_owned()), most.max(text.to_owned())),
            });
        }
        self.note_word(text, word, 1);
        if json && depth < DEEPEST && text.len() <= LONGEST_JSON {
            match crate::export::read_json(text) {
                Some(inner) => {
                    self.opened.get_or_insert_default().note(&inner, "", Owner::default(), depth + 1)
                }
                None => self.looks[Look::Json as usize] -= 1,
            }
        }
    }

    fn note_word(&mut self, text: &str, is_word: bool, count: u64) {
        if self.wordy {
            return;
        }
        if is_word {
            *self.words.entry(text.to_owned()).or_default() += count;
        }
        self.wordy = !is_word || self.words.len() > MOST_WORDS;
        if self.wordy {
            self.words.clear();
        }
    }

    fn merge(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        self.count += other.count;
        self.looks.iter_mut().zip(other.looks).for_each(|(mine, theirs)| *mine += theirs);
        self.longest = self.longest.max(other.longest);
        self.bytes += other.bytes;
        if other.wordy {
            self.wordy = true;
            self.words.clear();
        }
        other.words.into_iter().for_each(|(word, count)| self.note_word(&word, true, count));
        for (mime, (count, bytes)) in other.media {
            let mine = self.media.entry(mime).or_default();
            *mine = (mine.0 + count, mine.1 + bytes);
        }
        self.dates = match (self.dates.take(), other.dates) {
            (Some((least, most)), Some((low, high))) => Some((least.min(low), most.max(high))),
            (one, other) => one.or(other),
        };
        self.only_dmy += other.only_dmy;
        self.only_mdy += other.only_mdy;
        merge_boxes(&mut self.opened, other.opened);
    }
}

impl Maps {
    fn note(&mut self, members: &Map, owner: Owner, depth: usize) {
        self.count += 1;
        self.empty += u64::from(members.is_empty());
        if depth >= DEEPEST {
            return;
        }
        let mut form = Vec::with_capacity(members.len());
        for (name, value) in members {
            if !self.note_member(name, value, owner, depth) {
                continue;
            }
            if !value.is_blank() && !self.formless {
                form.extend(self.fields.get_index_of(name).and_then(|index| u32::try_from(index).ok()));
            }
        }
        form.sort_unstable();
        if !self.formless {
            *self.forms.entry(form).or_default() += 1;
            if self.forms.len() > MOST_FORMS || self.folded {
                self.formless = true;
                self.forms.clear();
            }
        }
    }

    /// Takes a member; false for a secret.
    fn note_member(&mut self, name: &str, value: &Node, owner: Owner, depth: usize) -> bool {
        let place = self.place(name);
        if secret::is_secret_name(name) && !value.is_blank() && !matches!(value, Node::Bool(_)) {
            place.secrets += 1;
            return false;
        }
        place.note(value, name, owner, depth + 1);
        if let Node::Map(_) = value {
            place.maps.keys.note(hash(name), Owner::of(value), MOST_IDS);
        }
        true
    }

    /// The place of a member; names with something in common share one when there are too many.
    fn place(&mut self, name: &str) -> &mut Place {
        if !self.folded && self.fields.len() >= MOST_NAMES && !self.fields.contains_key(name) {
            self.fold();
        }
        let name = if self.folded && !self.fields.contains_key(name) {
            let template = names::template(name);
            // Beyond that many kinds of names they are just names.
            if self.fields.len() >= 2 * MOST_NAMES && !self.fields.contains_key(&template) {
                "*".to_owned()
            } else {
                template
            }
        } else {
            name.to_owned()
        };
        self.fields.entry(name).or_default()
    }

    /// Puts places together whose names differ only in what looks like data.
    pub(crate) fn fold(&mut self) {
        let fields = std::mem::take(&mut self.fields);
        self.folded = true;
        self.formless = true;
        self.forms.clear();
        let mut templates: IndexMap<String, Vec<(String, Place)>> = IndexMap::new();
        for (name, place) in fields {
            templates.entry(names::template(&name)).or_default().push((name, place));
        }
        let many = templates.len() >= MOST_NAMES;
        for (template, places) in templates {
            let template = if many { "*".to_owned() } else { template };
            for (_, place) in places {
                self.fields.entry(template.clone()).or_default().merge(place);
            }
        }
    }

    /// How often none of two members holds something beside the other; nothing when nobody counted.
    pub(crate) fn are_apart(&self, left: &str, right: &str) -> bool {
        let index = |name: &str| self.fields.get_index_of(name).and_then(|index| u32::try_from(index).ok());
        let (Some(left), Some(right)) = (index(left), index(right)) else { return false };
        !self.formless && self.forms.keys().all(|form| !(form.contains(&left) && form.contains(&right)))
    }

    fn merge(&mut self, other: Self) {
        if other.count == 0 {
            return;
        }
        let first = self.count == 0;
        self.count += other.count;
        self.empty += other.empty;
        self.records.merge(other.records);
        self.keys.merge(other.keys);
        if first {
            (self.fields, self.folded) = (other.fields, other.folded);
            (self.forms, self.formless) = (other.forms, other.formless);
            return;
        }
        let names: Vec<String> = other.fields.keys().cloned().collect();
        for (name, place) in other.fields {
            self.place(&name).merge(place);
        }
        self.formless |= other.formless || self.folded;
        if self.formless {
            self.forms.clear();
            return;
        }
        for (form, count) in other.forms {
            let index = |old: &u32| {
                let name = names.get(*old as usize)?;
                u32::try_from(self.fields.get_index_of(name)?).ok()
            };
            let mut form: Vec<u32> = form.iter().filter_map(index).collect();
            form.sort_unstable();
            *self.forms.entry(form).or_default() += count;
        }
    }
}

impl Values {
    fn note(&mut self, value: u64, owner: Owner, most: usize) {
        if let Some(seen) = self.seen.get_mut(&value) {
            seen.count = seen.count.saturating_add(1);
            self.conflict |= seen.owner != owner.exact;
        } else if self.seen.len() < most {
            self.seen.insert(value, Seen { count: 1, owner: owner.exact, loose: owner.loose });
        } else {
            self.overflow = true;
        }
    }

    /// How many different values there are, as far as they are told apart.
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// True if there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// How many values there are, repeated ones counted.
    pub(crate) fn total(&self) -> u64 {
        self.seen.values().map(|seen| u64::from(seen.count)).sum()
    }

    /// True if a text is among them.
    pub(crate) fn holds(&self, text: &str) -> bool {
        self.seen.contains_key(&hash(text))
    }

    /// How many of the values, repeated ones counted, are among others.
    pub(crate) fn hits(&self, others: &Self) -> u64 {
        let among = self.seen.iter().filter(|(value, _)| others.seen.contains_key(value));
        among.map(|(_, seen)| u64::from(seen.count)).sum()
    }

    /// How many different values both have, and in how many of them the records are the same.
    pub(crate) fn shared(&self, others: &Self) -> (u64, u64) {
        let both = self.seen.iter().filter_map(|(value, seen)| Some((seen, others.seen.get(value)?)));
        both.fold((0, 0), |(ids, same), (left, right)| (ids + 1, same + u64::from(left.loose == right.loose)))
    }

    fn merge(&mut self, other: Self) {
        self.overflow |= other.overflow;
        self.conflict |= other.conflict;
        for (value, theirs) in other.seen {
            let room = self.seen.len() < MOST_IDS;
            match self.seen.get_mut(&value) {
                Some(seen) => {
                    seen.count = seen.count.saturating_add(theirs.count);
                    self.conflict |= seen.owner != theirs.owner;
                }
                None if room => {
                    self.seen.insert(value, theirs);
                }
                None => self.overflow = true,
            }
        }
    }
}

impl Owner {
    fn of(node: &Node) -> Self {
        match node {
            Node::Map(_) => Self { exact: print(node, false), loose: print(node, true) },
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Text(_) | Node::List(_) => Self::default(),
        }
    }
}

fn merge_boxes(mine: &mut Option<Box<Place>>, theirs: Option<Box<Place>>) {
    match (mine.as_mut(), theirs) {
        (Some(mine), Some(theirs)) => mine.merge(*theirs),
        (None, theirs) => *mine = theirs,
        (Some(_), None) => {}
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A hash of what a value says: the order of members does not count, nor do blanks where it is loose.
fn print(node: &Node, loose: bool) -> u64 {
    match node {
        Node::Null => 1,
        Node::Bool(value) => hash(("bool", value)),
        Node::Number(number) => hash(("number", number.canonical())),
        Node::Text(text) if loose => hash(("text", text.split_whitespace().collect::<Vec<_>>())),
        Node::Text(text) => hash(("text", text)),
        Node::List(items) => hash(("list", items.iter().map(|item| print(item, loose)).collect::<Vec<_>>())),
        Node::Map(members) => {
            let said = members.iter().filter(|(_, value)| **value != Node::Null);
            said.fold(7, |sum: u64, (name, value)| sum.wrapping_add(hash((name, print(value, loose)))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::read_json;

    fn place(json: &str) -> Place {
        let mut place = Place::default();
        place.take(&read_json(json).expect("JSON"), 0);
        place
    }

    #[test]
    fn what_two_places_say_together_is_what_one_would_say() {
        let items = |json: &str| *place(json).lists.items.expect("items");
        let mut halves = items(r#"[{"id":1,"a":"x"},{"id":2,"b":null}]"#);
        halves.merge(items(r#"[{"id":"2","b":4.5},{"id":3,"a":""}]"#));
        let whole = items(r#"[{"id":1,"a":"x"},{"id":2,"b":null},{"id":"2","b":4.5},{"id":3,"a":""}]"#);
        for (name, one) in &whole.maps.fields {
            let other = halves.field(name).expect(name);
            assert_eq!(
                (one.count, one.nulls, one.empties, one.values.len(), one.values.conflict),
                (other.count, other.nulls, other.empties, other.values.len(), other.values.conflict),
                "{name}"
            );
        }
        assert!(whole.field("id").expect("id").values.conflict, "one id, two records");
        assert_eq!(whole.maps.forms, halves.maps.forms);
    }

    #[test]
    fn a_copy_is_no_conflict_and_blanks_are_told() {
        let records = place(r#"[{"id":1,"a":"x  y"},{"id":1,"a":"x  y"},{"id":2,"a":"z"}]"#);
        let one = records.items().expect("items").field("id").expect("id").values.clone();
        assert!(!one.conflict && one.len() == 2);
        let copy = place(r#"[{"id":"1","a":"x y"},{"id":9,"a":"z"}]"#);
        let copy = &copy.items().expect("items").field("id").expect("id").values;
        assert_eq!(one.shared(copy).0, 1);
    }

    #[test]
    fn memory_is_bounded_by_what_is_counted() {
        let many: Vec<String> =
            (0..3000).map(|n| format!(r#""order_{n}":{{"id":{n},"total":{n}}}"#)).collect();
        let place = place(&format!("{{{},\"theme\":\"x\"}}", many.join(",")));
        assert!(place.maps.fields.len() < MOST_NAMES, "{}", place.maps.fields.len());
        let orders = place.field("order_*").expect("one place for all of them");
        assert_eq!((orders.maps.count, orders.maps.keys.len()), (3000, 3000));
        assert!(place.field("theme").is_some());
    }

    #[test]
    fn dust_is_told_from_decimals() {
        let numbers = |json: &str| place(json).lists.items.expect("items").numbers;
        assert_eq!(numbers("[370.18000000000006, 12.5, 3]").clean_scale(), Some(2));
        assert_eq!(numbers("[12.5, 3]").clean_scale(), None);
        assert_eq!(numbers("[-2024.097334590293, 0.30000000000000004]").clean_scale(), None);
    }
}
