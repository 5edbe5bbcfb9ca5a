#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Note>().update(&NotePatch::default().archived(true)).send();
}

fn main() {}
