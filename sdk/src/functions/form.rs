//! A form as browsers send it, with files.
//!
//! Source: RFC 7578 (multipart/form-data); WHATWG HTML, section 4.10.21.8 (how names are escaped).

use std::io;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use crate::body::Body;

/// Fields and files that go out together.
///
/// ```
/// use supabase_sdk::functions::Form;
/// let form = Form::default().text("title", "front").file("photo", "front.webp", "image/webp", vec![0; 9]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Form {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    head: String,
    body: Body,
}

impl Form {
    /// Adds a field.
    #[must_use]
    pub fn text(mut self, name: &str, value: impl Into<String>) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n\r\n", escaped(name));
        self.parts.push(Part { head, body: value.into().into() });
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: &str, file_name: &str, mime: &str, body: impl Into<Body>) -> Self {
        let (name, file_name) = (escaped(name), escaped(file_name));
        let mime = escaped(mime);
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: {mime}\r\n\r\n"
        );
        self.parts.push(Part { head, body: body.into() });
        self
    }

    /// What goes out, and what it is. The boundary is one that stands in no part: 128 bits nobody foretells.
    pub(super) fn body(self, boundary: u128) -> (Body, String) {
        let boundary = format!("form-{boundary:032x}");
        let mime = format!("multipart/form-data; boundary={boundary}");
        let mut pieces: Vec<Body> = Vec::new();
        for part in self.parts {
            pieces.extend([format!("--{boundary}\r\n{}", part.head).into(), part.body, "\r\n".into()]);
        }
        pieces.push(format!("--{boundary}--\r\n").into());
        (joined(pieces), mime)
    }
}

/// One body after the other; bytes, where all are there already.
fn joined(pieces: Vec<Body>) -> Body {
    let there: Option<Vec<&[u8]>> = pieces.iter().map(|piece| piece.as_bytes().map(AsRef::as_ref)).collect();
    if let Some(there) = there {
        return there.concat().into();
    }
    let length = pieces.iter().map(Body::len).sum();
    Body::stream(length, move || chained(pieces.clone()))
}

fn chained(pieces: Vec<Body>) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::iter(pieces).flat_map(|piece| piece.open())
}

/// What would end a name, as browsers write it.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt as _;

    use super::*;

    #[tokio::test]
    async fn a_form_is_the_same_whole_and_as_a_stream() {
        let form = |photo: Body| {
            Form::default().text("ti\"t\nle", "front").file("photo", "a.webp", "image/webp", photo).body(1)
        };
        let streamed = Body::stream(3, || stream::iter([Ok("ab".into()), Ok("c".into())]));
        let (whole, mime) = form("abc".into());
        let (pieces, _) = form(streamed);
        let text = std::str::from_utf8(whole.as_bytes().unwrap()).unwrap();
        let boundary = "form-00000000000000000000000000000001";
        assert_eq!(mime, format!("multipart/form-data; boundary={boundary}"));
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"ti%22t%0Ale\"\r\n\r\nfront\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.webp\"\r\n\
                 Content-Type: image/webp\r\n\r\nabc\r\n--{boundary}--\r\n"
            )
        );
        let read: Vec<Bytes> = pieces.open().try_collect().await.unwrap();
        assert!(pieces.len() == whole.len() && read.concat() == text.as_bytes());
    }
}
