//! What comes with the program: the mappings, and a sample of the garage's export.

use std::path::PathBuf;

use migrator::export::Export;
use migrator::mapping::{self, Mapping};
use migrator::plan::{Context, Known, Plan};

use crate::{garage, plan};

#[test]
fn scratch_story() {
    let Some(folder) = std::env::var_os("EXPORTS_DIR").map(PathBuf::from) else { return };
    for (name, file) in [
        ("calendar", "deskplanner-localstorage-dump.json"),
        ("calendar", "deskplanner-export-bookings.json"),
        ("streaming", "netflux-localstorage-dump.json"),
        ("health", "dikolo-stock-receptions-ventes.json"),
        ("health", "papeterie-stock-mouvements.json"),
        ("health", "stockpro-lzstring-values.json"),
        ("garage", "garage-backup-2025-08-11.json"),
        ("garage", "garage-localstorage-dump.json"),
    ] {
        let mapping = Mapping::read(name, mapping::shipped(name).unwrap()).unwrap_or_else(|f| panic!("{f}"));
        let bytes = std::fs::read(folder.join(file)).unwrap();
        let context = Context::new(&mapping, crate::OWNER, None, None, crate::NOW).expect("a context");
        let export = Export::read(file, &bytes).expect("a readable file");
        let plan = Plan::new(&export, &mapping, &context, &Known::default()).unwrap_or_else(|f| panic!("{f}"));
        std::fs::write(format!("/tmp/story-{file}.txt"), crate::story(&plan)).unwrap();
    }
}
