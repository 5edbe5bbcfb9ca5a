//! Mistakes that do not compile, and what the compiler says of them. Features change nothing in that, and each
//! set of them would be compiled anew.
#![cfg(not(feature = "arbitrary_precision"))]

#[test]
fn mistakes_are_found_before_anything_runs() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
