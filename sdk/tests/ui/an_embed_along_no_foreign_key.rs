#![allow(unused)]

include!("shared/tables.rs");

#[derive(Deserialize, Projection)]
#[projection(of = Author)]
struct Part {
    name: String,
    #[projection(embed)]
    note: Note,
}

async fn run(client: Client) {
    
}

fn main() {}
