#![allow(unused)]

include!("shared/tables.rs");

async fn run(client: Client) {
    let _ = client.table::<Note>().delete().send();
}

fn main() {}
