use super::Wrapping;
pub(super) struct Opened {
    pub(super) text: String,
    pub(super) flavour: Wrapping,
}
pub(super) fn open(_: &[u16]) -> Option<Opened> {
    None
}
