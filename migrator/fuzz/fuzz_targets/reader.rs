//! Any bytes as an exported file: read, inspected, given a mapping, and planned. It ends with rows or with a
//! failure, never with a panic, and in bounded memory:
//!
//! ```sh
//! cargo install cargo-fuzz
//! cd migrator/fuzz
//! RUSTC_BOOTSTRAP=1 cargo fuzz run reader -- -rss_limit_mb=512 -max_len=65536 -dict=json.dict
//! ```
//!
//! The first byte says whether a file that was cut off is taken as far as it goes.
#![no_main]

use std::io::Write as _;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use migrator::exit;
use migrator::export::{Export, Reading};
use migrator::infer::{self, Wishes};
use migrator::lang::Lang;
use migrator::mapping::Mapping;
use migrator::plan::{Context, Known, Plan};
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let mut file = tempfile::NamedTempFile::new().expect("room for a file");
    file.write_all(bytes).expect("room for a file");
    let reading = Reading { salvage: first % 2 == 1, encoding: None };
    let export = match Export::open(&[file.path().to_owned()], reading) {
        Ok(export) => export,
        Err(failure) => return assert_ne!(failure.code, exit::BUG, "{}", failure.message),
    };
    for inspection in infer::inspect(&export).expect("the export stays") {
        for lang in [Lang::En, Lang::Fr] {
            let _ = inspection.text(lang);
        }
    }
    let Ok(text) = infer::mapping(&export, &Wishes::default()) else { return };
    // A file of values alone has none.
    let Ok(mapping) = Mapping::read("any.map.toml", &text) else { return };
    let context = Context::new(&mapping, Uuid::from_u128(1), None, None, Timestamp::UNIX_EPOCH);
    let Ok(plan) = Plan::new(&export, &mapping, &context.expect("a context"), &Known::default()) else { return };
    for table in &plan.tables {
        let in_order: usize = table.rows.by_id(1_000, 1 << 20).expect("room").map(|rows| rows.expect("room").len()).sum();
        assert_eq!(in_order, table.rows.len());
    }
});
