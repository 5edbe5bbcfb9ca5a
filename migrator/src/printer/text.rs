//! Text fitted to a terminal.

/// Breaks a line at its spaces; what follows the first line is indented.
pub(super) fn wrap(text: &str, indent: usize, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_inclusive(' ') {
        let width = visible(word.trim_end());
        if used + width > room && used > indent {
            lines.push(line.trim_end().to_owned());
            line = " ".repeat(indent);
            used = indent;
        }
        line.push_str(&cut(word, room.saturating_sub(used).max(1)));
        used += visible(word);
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// How many columns a text takes on a terminal, colours not counted.
pub(super) fn visible(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().chars().count()
}

/// A text from the file, without the characters a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character })
        .collect()
}

/// The beginning of a line that is too long.
pub(super) fn cut(text: &str, width: usize) -> String {
    if visible(text.trim_end()) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
