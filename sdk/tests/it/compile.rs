//! Mistakes that do not compile, and what the compiler says of them.

#[test]
fn mistakes_are_found_before_anything_runs() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
