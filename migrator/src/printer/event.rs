//! What happens in a run, for programs that follow it: a JSON object a line, with `--progress json`.

use serde::Serialize;

use crate::report::Verdict;

/// Something that happened. The names and fields are a promise; new ones may be added.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "type")]
pub enum Event<'a> {
    /// A run begins.
    #[serde(rename = "run.started")]
    RunStarted {
        /// Its id.
        run: &'a str,
        /// The file.
        source: &'a str,
        /// The mapping's name.
        mapping: &'a str,
        /// The address written to.
        target: &'a str,
    },
    /// It is known what a table gets.
    #[serde(rename = "table.planned")]
    TablePlanned {
        /// The table.
        table: &'a str,
        /// Its records in the file.
        records: usize,
        /// The rows they become.
        rows: usize,
        /// Copies of another record.
        merged: usize,
        /// Records refused.
        rejected: usize,
    },
    /// Rows are in the table for good.
    #[serde(rename = "batch.committed")]
    BatchCommitted {
        /// The table.
        table: &'a str,
        /// The number of the batch in its table, from 0.
        batch: usize,
        /// Its rows.
        rows: usize,
        /// How long it took.
        ms: u64,
    },
    /// A file is in Storage.
    #[serde(rename = "media.uploaded")]
    MediaUploaded {
        /// The bucket.
        bucket: &'a str,
        /// Its name in the bucket.
        path: &'a str,
        /// Its size.
        bytes: u64,
    },
    /// A record was refused.
    #[serde(rename = "row.rejected")]
    RowRejected {
        /// The file.
        file: &'a str,
        /// The record in it.
        pointer: &'a str,
        /// The table it was meant for.
        table: &'a str,
        /// The column that refused it.
        #[serde(skip_serializing_if = "Option::is_none")]
        column: Option<&'a str>,
        /// The reason's stable name.
        code: &'a str,
    },
    /// A table was read back.
    #[serde(rename = "verify.table")]
    TableVerified {
        /// The table.
        table: &'a str,
        /// Rows read back.
        rows: usize,
        /// Those of them that are as planned.
        equal: usize,
        /// The digest of what was read.
        #[serde(skip_serializing_if = "Option::is_none")]
        digest: Option<&'a str>,
    },
    /// A run ended.
    #[serde(rename = "run.finished")]
    RunFinished {
        /// Its id.
        run: &'a str,
        /// How, in a word.
        verdict: Verdict,
        /// Rows written.
        written: usize,
        /// Records refused.
        rejected: usize,
        /// The exit code.
        exit_code: u8,
    },
}
