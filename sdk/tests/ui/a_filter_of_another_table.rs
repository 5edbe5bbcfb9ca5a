#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Note>().select().filter(Author::NAME.eq("Zoé"));
}

fn main() {}
