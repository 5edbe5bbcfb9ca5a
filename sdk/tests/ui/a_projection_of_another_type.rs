#![allow(unused)]

include!("shared/tables.rs");

#[derive(Deserialize, Projection)]
#[projection(of = Note)]
struct Part {
    title: i64,
}

async fn run(client: Client) {
    
}

fn main() {}
