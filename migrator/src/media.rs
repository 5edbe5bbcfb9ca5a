//! Edge: pictures and other files into Storage, before the rows that name them.
//!
//! A file is named by what is in it, so one that is there already is left alone, and a run that is repeated
//! sends nothing.

use futures_util::{StreamExt as _, TryStreamExt as _};
use supabase_sdk::{Client, Error, ErrorKind};

use crate::exit::{self, Failure};
use crate::plan::{Media, MediaFiles};
use crate::pointer::Pointer;
use crate::printer::Task;
use crate::report;
use crate::target::{AT_ONCE, failure};

/// Sends files.
///
/// # Errors
/// Exit code 6 when nobody answers, 7 when Storage does not take a file: no row is written then.
pub async fn upload(client: &Client, files: &MediaFiles, task: &Task) -> Result<report::Media, Failure> {
    let sent = files.iter().map(|file| async move {
        let file = file?;
        let size = file.bytes.len() as u64;
        let fresh = one(client, file).await?;
        task.add(1);
        Ok::<_, Failure>((fresh, size))
    });
    let mut sent = futures_util::stream::iter(sent).buffer_unordered(AT_ONCE);
    let mut media = report::Media::default();
    while let Some((fresh, size)) = sent.try_next().await? {
        if fresh {
            media.uploaded += 1;
            media.bytes += size;
        } else {
            media.already_there += 1;
        }
    }
    Ok(media)
}

/// Sends a file; false if it was there.
async fn one(client: &Client, file: Media) -> Result<bool, Failure> {
    let Media { bucket, path, kind, at, bytes } = file;
    let files = client.storage().from(&bucket);
    let size = bytes.len();
    match files.info(&path).await {
        Ok(there) if there.size == Some(size as u64) => return Ok(false),
        _ => {}
    }
    let sent = files.upload(&path, bytes).content_type(kind).send().await;
    match sent {
        Ok(_) => Ok(true),
        // Another run was faster.
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(refused(error, &at, &bucket)),
    }
}

fn refused(error: Error, at: &Pointer, bucket: &str) -> Failure {
    match error.kind() {
        ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Busy => failure(error),
        _ => Failure::new(
            exit::REFUSED,
            "target.media",
            format!("the file of {at} does not get into bucket {bucket}: {error}"),
        )
        .help("make the bucket, or let it take such files; or leave them where they are with --media keep")
        .because(error),
    }
}
