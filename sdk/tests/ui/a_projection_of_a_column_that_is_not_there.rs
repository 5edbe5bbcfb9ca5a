#![allow(unused)]

include!("shared/tables.rs");

#[derive(Deserialize, Projection)]
#[projection(of = Note)]
struct Part {
    titel: String,
}

async fn run(client: Client) {
    
}

fn main() {}
