//! One server for the tests that need only a database: each has its own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, PgConnection};
use supabase_stack::bootstrap::{self, Installed};
use supabase_stack::home::Home;
use supabase_stack::postgres::{Options, Role, Server};
use tokio::runtime::Runtime;

const TEMPLATE: &str = "template_test";

/// A new database with the bootstrap in it.
pub(crate) struct Database {
    name: String,
}

impl Database {
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        server().create_database(&name, Some(TEMPLATE)).await.unwrap();
        Self { name }
    }

    pub(crate) fn url(&self, role: Role) -> String {
        server().url(role, &self.name)
    }

    pub(crate) async fn connect(&self, role: Role) -> PgConnection {
        PgConnection::connect(&self.url(role)).await.unwrap()
    }
}

/// It goes with the test process: its guard sees to that.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<(Runtime, Server)> = OnceLock::new();
    let start = || {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(async {
            let place = Home::below(&std::env::temp_dir()).unwrap().ephemeral().await.unwrap();
            let program = env!("CARGO_BIN_EXE_supabase-stack").into();
            let server = Server::start(Options { program, ..Options::new(place).unwrap() }).await.unwrap();
            server.create_database(TEMPLATE, None).await.unwrap();
            assert_eq!(bootstrap::install(&server, TEMPLATE).await.unwrap(), Installed::Fresh);
            server
        });
        (runtime, server)
    };
    &SERVER.get_or_init(|| std::thread::spawn(start).join().unwrap()).1
}
