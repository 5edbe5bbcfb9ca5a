//! A run: one import or one rollback, with a folder of its own to tell of it.
//!
//! Its id is drawn once and says when it began (UUIDv7). What it was made from is kept with it, without
//! secrets, so that going on with it can be refused when something has changed ([`Inputs::check`]).
//!
//! Not here: what it did to which row (`ledger`).

pub mod folder;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::exit::{self, Failure};

/// One run, as `run.json` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: Uuid,
    /// What kind of run it is.
    pub kind: Kind,
    /// How far it is.
    pub status: Status,
    /// The run it takes back, for a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Uuid>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What it was made from.
    pub inputs: Inputs,
    /// The hash of all that: see [`Inputs::hash`].
    pub plan: String,
    /// How many rows it has written.
    #[serde(default)]
    pub rows: u64,
}

/// What kind of run it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Rows go in.
    Import,
    /// They are taken back.
    Rollback,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is known what it would do.
    Planned,
    /// It writes, or was stopped while it did.
    Loading,
    /// It came to its end.
    Done,
    /// It stopped for a reason it has told.
    Failed,
    /// All of it is taken back.
    RolledBack,
    /// It is taken back, but for rows that had to stay.
    RolledBackInPart,
}

/// What a run was made from. No secret is in here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The exported files.
    pub files: Vec<File>,
    /// The mapping.
    pub mapping: Text,
    /// Where the rows go.
    pub target: Place,
    /// Whose rows they are, as the command line names them.
    pub owner: String,
    /// Their id.
    pub owner_id: Uuid,
    /// The scope of the ids.
    pub scope: String,
    /// The options of the command, for going on.
    #[serde(default)]
    pub options: serde_json::Map<String, serde_json::Value>,
    /// The version of the program.
    pub tool: String,
}

/// An exported file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name on the command line.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// The SHA-256 of its content.
    pub sha256: String,
}

/// A text that was read from somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Its name on the command line.
    pub path: String,
    /// The text.
    pub text: String,
}

/// Where rows go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The way there.
    pub way: Way,
    /// The address, without a password.
    pub address: String,
}

/// The way to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// Over the API.
    Rest,
    /// Straight to PostgreSQL.
    Sql,
}

impl Run {
    /// Begins a run.
    pub fn new(id: Uuid, kind: Kind, inputs: Inputs, now: Timestamp) -> Self {
        let plan = inputs.hash();
        Self {
            id,
            kind,
            status: Status::Planned,
            undoes: None,
            started_at: now,
            ended_at: None,
            inputs,
            plan,
            rows: 0,
        }
    }

    /// Begins a rollback of this run.
    #[must_use]
    pub fn undo(&self, id: Uuid, now: Timestamp) -> Self {
        let undone = Some(self.id);
        Self {
            undoes: undone,
            status: Status::Loading,
            ..Self::new(id, Kind::Rollback, self.inputs.clone(), now)
        }
    }

    /// The id of a run that begins now: later runs have greater ones.
    pub fn id(now: Timestamp, random: [u8; 10]) -> Uuid {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

impl Inputs {
    /// One hash of everything that decides what a run writes: files, mapping, target, owner, scope and the
    /// version of the program.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut part =
            |text: &str| _ = hasher.update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
        for file in &self.files {
            part(&file.sha256);
        }
        for text in [&self.mapping.text, &self.target.address, &self.scope, &self.tool] {
            part(text);
        }
        part(self.target.way.name());
        part(&self.owner_id.to_string());
        hasher.finalize().to_hex().to_string()
    }

    /// Says whether a run that was made from these may go on with those of today.
    ///
    /// # Errors
    /// Exit code 7, naming everything that has changed.
    pub fn check(&self, today: &Self) -> Result<(), Failure> {
        let mut changed: Vec<String> = Vec::new();
        for (number, file) in self.files.iter().enumerate() {
            match today.files.get(number) {
                None => changed.push(format!("the file {} is missing", file.path)),
                Some(now) if now.sha256 != file.sha256 => changed.push(format!("the file {}", file.path)),
                Some(_) => {}
            }
        }
        let more = today.files.iter().skip(self.files.len());
        changed.extend(more.map(|file| format!("the file {} is new", file.path)));
        if self.mapping.text != today.mapping.text {
            changed.push(format!("the mapping {}", self.mapping.path));
        }
        if self.target != today.target {
            changed.push(format!("the target ({}, and was {})", today.target.address, self.target.address));
        }
        if self.owner_id != today.owner_id {
            changed.push("the owner".to_owned());
        }
        if self.scope != today.scope {
            changed.push("the scope".to_owned());
        }
        if self.tool != today.tool {
            changed.push(format!("the program ({}, and was {})", today.tool, self.tool));
        }
        if changed.is_empty() {
            return Ok(());
        }
        let message = format!("this run cannot go on, because something has changed: {}", changed.join("; "));
        Err(Failure::new(exit::REFUSED, "run.changed", message)
            .help("import anew: rows that are there already are found and left alone"))
    }
}

impl File {
    /// The file of this name and content.
    pub fn of(path: impl Into<String>, content: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(content);
        Self { path: path.into(), bytes: content.len() as u64, sha256: hex(&hasher.finalize()) }
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

macro_rules! names {
    ($kind:ty { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $kind {
            /// Its name, as files and tables have it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The one of this name.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

names!(Kind { Import = "import", Rollback = "rollback" });
names!(Way { Rest = "rest", Sql = "sql" });
names!(Status {
    Planned = "planned",
    Loading = "loading",
    Done = "done",
    Failed = "failed",
    RolledBack = "rolled_back",
    RolledBackInPart = "rolled_back_in_part",
});

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn inputs() -> Inputs {
        Inputs {
            files: vec![File::of("garage.json", b"{}")],
            mapping: Text { path: "garage".to_owned(), text: "format = 1".to_owned() },
            target: Place { way: Way::Rest, address: "https://abcd.supabase.co".to_owned() },
            owner: "zoe@garage.test".to_owned(),
            owner_id: Uuid::from_u128(1),
            scope: "phone".to_owned(),
            options: serde_json::Map::new(),
            tool: "0.1.0".to_owned(),
        }
    }

    #[track_caller]
    fn refused(change: impl Fn(&mut Inputs), says: &str) {
        let mut today = inputs();
        change(&mut today);
        assert_ne!(today.hash(), inputs().hash(), "{says}");
        let failure = inputs().check(&today).expect_err(says);
        assert_eq!(failure.code, exit::REFUSED);
        assert!(failure.message.contains(says), "{}", failure.message);
    }

    #[test]
    fn a_run_goes_on_only_with_what_it_was_made_from() {
        inputs().check(&inputs()).unwrap();
        refused(|today| today.files = vec![File::of("garage.json", b"[]")], "the file garage.json");
        refused(|today| today.files.push(File::of("more.json", b"[]")), "more.json is new");
        refused(|today| today.files.clear(), "garage.json is missing");
        refused(|today| today.mapping.text.push('\n'), "the mapping garage");
        refused(|today| today.target.address = "https://efgh.supabase.co".to_owned(), "the target");
        refused(|today| today.target.way = Way::Sql, "the target");
        refused(|today| today.owner_id = Uuid::from_u128(2), "the owner");
        refused(|today| today.scope.push('2'), "the scope");
        refused(|today| today.tool = "0.2.0".to_owned(), "the program");
    }

    #[test]
    fn where_the_file_lies_does_not_matter() {
        let mut moved = inputs();
        moved.files[0].path = "/elsewhere/garage.json".to_owned();
        moved.options.insert("max_rejects".to_owned(), 3.into());
        inputs().check(&moved).unwrap();
        assert_eq!(moved.hash(), inputs().hash());
    }

    #[test]
    fn later_runs_have_greater_ids() {
        let at = |text: &str| Run::id(text.parse().unwrap(), [7; 10]);
        let (first, second) = (at("2026-11-20T10:00:00Z"), at("2026-11-20T10:00:01Z"));
        assert!(first < second);
        assert_eq!((first.get_version_num(), first), (7, at("2026-11-20T10:00:00Z")));
    }

    #[test]
    fn the_content_of_a_file_is_named_as_anybody_can_check() {
        let empty = File::of("x", b"").sha256;
        assert_eq!(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
