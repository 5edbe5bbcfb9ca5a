//! Vectors, and what lies near them: buckets of indexes, indexes of vectors.
//!
//! | supabase-js | here |
//! |---|---|
//! | `storage.vectors.createBucket(name)`, `deleteBucket(name)`, `getBucket(name)` | [`storage().vectors()`](Storage::vectors)[`.create_bucket(name)`](Vectors::create_bucket), [`.delete_bucket(name)`](Vectors::delete_bucket), [`.bucket(name)`](Vectors::bucket) |
//! | `listBuckets({ prefix, maxResults, nextToken })` | [`.buckets(&page)`](Vectors::buckets) |
//! | `vectors.from(bucket).createIndex(options)` | [`.from(bucket)`](Vectors::from)[`.create_index(&index)`](VectorBucket::create_index) |
//! | `getIndex(name)`, `listIndexes(options)`, `deleteIndex(name)` | [`.index_info(name)`](VectorBucket::index_info), [`.indexes(&page)`](VectorBucket::indexes), [`.delete_index(name)`](VectorBucket::delete_index) |
//! | `index(name).putVectors({ vectors })` | [`.index(name)`](VectorBucket::index)[`.put(&vectors)`](VectorIndex::put) |
//! | `getVectors`, `deleteVectors` | [`.get(&keys, with)`](VectorIndex::get), [`.delete(&keys)`](VectorIndex::delete) |
//! | `listVectors({ segmentCount, segmentIndex })` | [`.scan(with)`](VectorIndex::scan)`.segment(0, 4).stream()` |
//! | `queryVectors({ queryVector, topK, filter })` | [`.nearest(vector, n)`](VectorIndex::nearest)`.filter(…).fetch()` |
//!
//! What may be done twice is tried again: reading, putting vectors at their keys, and deleting them by these.

mod bucket;
mod index;

pub use bucket::{Distance, IndexInfo, NewIndex, Page, VectorBucket, VectorBucketInfo, Vectors};
pub use index::{Found, Match, Nearest, Scan, Vector, VectorIndex, With};

#[cfg(doc)]
use super::Storage;
