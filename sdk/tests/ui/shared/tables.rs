// Two tables that the mistakes beside this folder are made with.

use serde::{Deserialize, Serialize};
use supabase_sdk::{Client, Projection, Table};

#[derive(Debug, Clone, Serialize, Deserialize, Table)]
#[table(name = "notes", references(Author), insert = NewNote, update = NotePatch)]
struct Note {
    #[table(key, default)]
    id: i64,
    title: String,
    body: Option<String>,
    #[table(default)]
    archived: bool,
    #[table(generated)]
    words: Option<i32>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Table)]
#[table(name = "authors")]
struct Author {
    #[table(key)]
    id: i64,
    name: String,
}
