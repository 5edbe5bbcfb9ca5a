//! A file that cannot be read fails before anything else, with a reason.

use migrator::exit;
use migrator::export::Export;

#[test]
fn a_reason_names_file_place_and_next_step() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for (bytes, id) in [
        (&b""[..], "export.empty"),
        (br#"{"data":{"customers":[{"id":"a"#, "export.truncated"),
        (br#"{"data":{"customers":[}}"#, "export.syntax"),
        (b"{\"nom\":\"Lef\xE8vre\",\"pr\xC3\xA9nom\":1}", "export.encoding"),
        (deep.as_bytes(), "export.depth"),
    ] {
        let failure = Export::read("backup.json", bytes).expect_err(id);
        assert_eq!((failure.code, failure.id), (exit::INPUT, id));
        assert!(failure.message.starts_with("backup.json"), "{}", failure.message);
        assert!(!failure.help.is_empty());
    }
}

#[test]
fn the_same_export_in_utf_16_is_the_same_plan() {
    let mut bytes = vec![0xFF, 0xFE];
    bytes.extend(migrator::sample::GARAGE.replace('\n', "\r\n").encode_utf16().flat_map(u16::to_le_bytes));
    let wide = Export::read("garage.json", &bytes).expect("readable");
    let plain = Export::read("garage.json", migrator::sample::GARAGE.as_bytes()).expect("readable");
    assert_eq!(whole(&wide), whole(&plain));
}

/// The whole of an export that is no dump, as JSON.
fn whole(export: &Export) -> String {
    let root = &export.documents[0].root;
    export.value(root, &mut migrator::export::Repairs::default()).expect("readable").to_json()
}
