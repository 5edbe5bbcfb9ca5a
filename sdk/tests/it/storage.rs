//! Storage against a scripted server: what is sent twice, and what a lost answer becomes.

use futures_util::TryStreamExt as _;
use supabase_sdk::storage::{Resize, Transform};
use supabase_sdk::{Error, ErrorKind};

use crate::scripted::Script;

const DONE: &str = r#"{"Id":"6d1a1f3e-0000-4000-8000-000000000001","Key":"b/a"}"#;
const TAKEN: &str = r#"{"statusCode":"409","error":"Duplicate","message":"The resource already exists","code":"KeyAlreadyExists"}"#;
const THERE: &str = r#"{"id":"6d1a1f3e-0000-4000-8000-000000000002","name":"a","size":3}"#;
const HIDDEN: &str =
    r#"{"statusCode":"404","error":"not_found","message":"Object not found","code":"NoSuchKey"}"#;

fn kind<T>(refused: Result<T, Error>) -> ErrorKind {
    refused.err().unwrap().kind()
}

/// Uploads `tea` where nothing may be replaced; what came of it, and how often what was asked.
async fn upload(answers: &[(u16, &'static str)]) -> (Result<Option<u8>, ErrorKind>, Vec<String>) {
    let (script, client) = Script::client(answers.iter().copied());
    let sent = client.storage().from("b").upload("a", "tea").send().await;
    let last = |id: uuid::Uuid| id.as_bytes()[15];
    let lines = script.lines();
    let asked = lines.iter().map(|line| line.replace(" http://project.test/storage/v1/object", ""));
    (sent.map(|sent| sent.id.map(last)).map_err(|error| error.kind()), asked.collect())
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_may_not_replace_is_decided_by_what_is_there() {
    let sent = |answers: &'static [(u16, &'static str)]| upload(answers);
    assert_eq!(sent(&[(200, DONE)]).await, (Ok(Some(1)), vec!["POST/b/a".to_owned()]));
    assert_eq!(sent(&[(400, TAKEN)]).await.0, Err(ErrorKind::Conflict), "it was there before");
    assert_eq!(sent(&[(503, ""), (200, DONE)]).await.0, Ok(Some(1)), "the first never arrived");
    let (ours, asked) = sent(&[(503, ""), (400, TAKEN), (200, THERE), (200, "tea")]).await;
    assert_eq!(ours, Ok(Some(2)));
    assert_eq!(asked, ["POST/b/a", "POST/b/a", "GET/info/b/a", "GET/b/a"]);
    let other = sent(&[(503, ""), (400, TAKEN), (200, THERE), (200, "tee")]).await;
    assert_eq!(other.0, Err(ErrorKind::Conflict), "as long, and somebody else's");
    let longer = THERE.replace('3', "4").leak();
    let (longer, asked) = upload(&[(503, ""), (400, TAKEN), (200, longer)]).await;
    assert_eq!((longer, asked.len()), (Err(ErrorKind::Conflict), 3), "its length says enough");
    assert_eq!(sent(&[(503, ""), (400, TAKEN), (400, HIDDEN)]).await.0, Err(ErrorKind::Conflict));
    let (never, asked) = sent(&[(503, ""); 4]).await;
    assert_eq!((never, asked.len()), (Err(ErrorKind::Busy), 4));
}

#[tokio::test(start_paused = true)]
async fn what_may_be_done_twice_is_tried_again() {
    let twice = || Script::client([(503, ""), (200, DONE)]);
    let (script, client) = twice();
    client.storage().from("b").upload("a", "tea").upsert().send().await.unwrap();
    assert_eq!((script.lines().len(), script.body().as_str()), (2, "tea"));
    let (_, client) = twice();
    client.storage().from("b").update("a", "tea").send().await.unwrap();
    let (_, client) = Script::client([(503, ""), (200, "[]")]);
    client.storage().from("b").list("").fetch().await.unwrap();
    let (_, client) = Script::client([(503, ""), (200, "tea")]);
    assert_eq!(client.storage().from("b").download("a").bytes().await.unwrap(), "tea");
    for way in 0..3 {
        let (script, client) = Script::client([(503, "")]);
        let files = client.storage().from("b");
        let refused = match way {
            0 => kind(files.remove(["a"]).await),
            1 => kind(files.rename("a", "b").send().await),
            _ => kind(files.copy("a", "b").send().await),
        };
        assert_eq!(
            (refused, script.lines().len()),
            (ErrorKind::Busy, 1),
            "the second time says something else"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_no_error_and_what_nobody_can_tell_is() {
    let exists = |body: &'static str| async move {
        let (_, client) = Script::client([(400, body)]);
        client.storage().from("b").exists("a").await.map_err(|error| error.kind())
    };
    assert_eq!(exists(HIDDEN).await, Ok(false));
    let older = r#"{"statusCode":"404","error":"not_found","message":"Object not found"}"#;
    assert_eq!(exists(older).await, Ok(false));
    let bucket = r#"{"statusCode":"404","error":"Bucket not found","message":"Bucket not found","code":"NoSuchBucket"}"#;
    assert_eq!(exists(bucket).await, Err(ErrorKind::NotFound));
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_is_not_sent() {
    let (script, client) = Script::client([]);
    let files = client.storage().from("b");
    assert_eq!(kind(files.download("../c/secret").bytes().await), ErrorKind::Invalid);
    assert_eq!(kind(files.upload("a/../../c", "x").send().await), ErrorKind::Invalid);
    assert_eq!(kind(client.storage().bucket("..").await), ErrorKind::Invalid);
    assert!(files.public_url("..").is_err() && script.lines().is_empty());
}

#[tokio::test]
async fn a_walk_that_cannot_go_on_says_so() {
    let (_, client) = Script::client([(200, r#"{"hasNext":true,"folders":[],"objects":[]}"#)]);
    assert_eq!(kind(client.storage().from("b").walk("").fetch().await), ErrorKind::Protocol);
}

#[tokio::test]
async fn an_image_comes_in_the_size_one_asks_for() {
    let signed = r#"{"signedURL":"/render/image/sign/b/a.png?token=t"}"#;
    let (script, client) = Script::client([(200, "img"), (200, "img"), (200, signed)]);
    let files = client.storage().from("b");
    let small = Transform::default().width(9).height(8).resize(Resize::Fill).quality(50).keep_format();
    files.download("a.png").transform(small).cache_nonce("v 2").bytes().await.unwrap();
    let pairs = "width=9&height=8&resize=fill&format=origin&quality=50";
    let address = "GET http://project.test/storage/v1/render/image/authenticated/b/a.png";
    assert_eq!(script.lines()[0], format!("{address}?{pairs}&cacheNonce=v%202"));
    files.download("a.png").transform(Transform::default()).bytes().await.unwrap();
    assert_eq!(script.lines()[1], "GET http://project.test/storage/v1/object/b/a.png");
    let hour = std::time::Duration::from_secs(3600);
    let link = files.create_signed_image_url("a.png", hour, Transform::default().width(9)).await.unwrap();
    assert_eq!(script.body(), r#"{"expiresIn":3600,"transform":{"width":9}}"#);
    assert_eq!(link.as_str(), "http://project.test/storage/v1/render/image/sign/b/a.png?token=t");
    assert_eq!(link.clone().transformed(small), link, "another size is another signature");
    assert!(link.cache_nonce("2").as_str().ends_with("?token=t&cacheNonce=2"));
}

#[tokio::test]
async fn a_cache_forgets_what_one_says() {
    let (script, client) = Script::client([(200, r#"{"message":"success"}"#); 4]);
    let (storage, files) = (client.storage(), client.storage().from("b"));
    files.purge_cache("d/a b").await.unwrap();
    files.purge_transformed("d/a b").await.unwrap();
    storage.purge_bucket_cache("b").await.unwrap();
    storage.purge_bucket_transformed("b").await.unwrap();
    let address = "DELETE http://project.test/storage/v1/cdn/b";
    let expected = ["/d/a%20b", "/d/a%20b?transformations=true", "", "?transformations=true"];
    assert_eq!(script.lines(), expected.map(|end| format!("{address}{end}")));
}

/// Complaint 21: everything below a folder comes, however deep and however much, and goes.
#[tokio::test]
async fn complaint_21_all_that_lies_below_a_folder_is_listed_and_removed() {
    let pages = [
        r#"{"hasNext":true,"nextCursor":"c1","folders":[],"objects":[{"name":"a/1"},{"name":"a/b/c/2"}]}"#,
        r#"{"hasNext":true,"nextCursor":"c2","folders":[],"objects":[]}"#,
        r#"{"hasNext":false,"nextCursor":"c3","folders":[],"objects":[{"name":"a/z/3"}]}"#,
        r#"[{"name":"a/1"},{"name":"a/b/c/2"},{"name":"a/z/3"}]"#,
    ];
    let (script, client) = Script::client(pages.map(|page| (200, page)));
    let files = client.storage().from("b");
    let all: Vec<_> = files.walk("a/").stream().map_ok(|entry| entry.name).try_collect().await.unwrap();
    assert_eq!(all, ["a/1", "a/b/c/2", "a/z/3"]);
    let asked: serde_json::Value = serde_json::from_str(&script.body()).unwrap();
    assert_eq!(asked, serde_json::json!({ "cursor": "c2", "prefix": "a/" }));
    assert_eq!(files.remove(&all).await.unwrap().len(), 3);
    assert_eq!(script.body(), r#"{"prefixes":["a/1","a/b/c/2","a/z/3"]}"#);
    let (script, client) = Script::client([(200, "[]"); 2]);
    client.storage().from("b").remove((0..1001).map(|name| name.to_string())).await.unwrap();
    assert_eq!((script.lines().len(), script.body().as_str()), (2, r#"{"prefixes":["1000"]}"#));
}

#[tokio::test]
async fn vectors_are_put_found_walked_over_and_removed() {
    use serde_json::{Value, json};
    use supabase_sdk::storage::vectors::{Distance, NewIndex, Page, Vector, With};
    let (script, client) = Script::client([
        (200, ""),
        (200, r#"{"vectorBuckets":[{"vectorBucketName":"e"}],"nextToken":"t"}"#),
        (200, ""),
        (200, r#"{"index":{"indexName":"i","dimension":2,"distanceMetric":"cosine"}}"#),
        (200, "{}"),
        (200, "{}"),
        (
            200,
            r#"{"vectors":[{"key":"a","data":{"float32":[0.5,1]},"distance":0.25}],"distanceMetric":"cosine"}"#,
        ),
        (200, r#"{"vectors":[{"key":"a"}],"nextToken":"t"}"#),
        (200, r#"{"vectors":[{"key":"b"}]}"#),
        (200, "{}"),
    ]);
    let last = || serde_json::from_str::<Value>(&script.body()).unwrap();
    let vectors = client.storage().vectors();
    vectors.create_bucket("e").await.unwrap();
    let page = Page { prefix: Some("e".into()), ..Page::default() };
    assert_eq!(vectors.buckets(&page).await.unwrap(), (vec!["e".to_owned()], Some("t".to_owned())));
    assert_eq!(last(), json!({ "prefix": "e" }));
    let bucket = vectors.from("e");
    let new = NewIndex::new("i", 2, Distance::DotProduct).unfilterable(["text"]);
    bucket.create_index(&new).await.unwrap();
    assert_eq!(
        last(),
        json!({ "vectorBucketName": "e", "indexName": "i", "dataType": "float32", "dimension": 2,
            "distanceMetric": "dotproduct", "metadataConfiguration": { "nonFilterableMetadataKeys": ["text"] } })
    );
    assert_eq!(bucket.index_info("i").await.unwrap().dimension, 2);
    let index = bucket.index("i");
    let many: Vec<_> = (0..501).map(|key| Vector::new(key.to_string(), vec![0.5, 1.0])).collect();
    index.put(&many).await.unwrap();
    let named = |more: Value| {
        let mut named = json!({ "vectorBucketName": "e", "indexName": "i" });
        named.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        named
    };
    assert_eq!(last(), named(json!({ "vectors": [{ "key": "500", "data": { "float32": [0.5, 1.0] } }] })));
    let near =
        index.nearest(&[0.5, 1.0], 3).filter(&json!({ "a": 1 })).with_metadata().fetch().await.unwrap();
    assert_eq!(
        (near.vectors[0].numbers(), near.vectors[0].distance),
        (Some([0.5, 1.0].as_slice()), Some(0.25))
    );
    let asked = json!({ "queryVector": { "float32": [0.5, 1.0] }, "topK": 3, "filter": { "a": 1 },
        "returnDistance": true, "returnMetadata": true });
    assert_eq!(last(), named(asked));
    let all = index.scan(With::Metadata).segment(1, 4).stream();
    let all: Vec<_> = all.map_ok(|vector| vector.key).try_collect().await.unwrap();
    assert_eq!(all, ["a", "b"]);
    let asked = json!({ "returnData": false, "returnMetadata": true, "segmentIndex": 1, "segmentCount": 4, "nextToken": "t" });
    assert_eq!(last(), named(asked));
    index.delete(&["a"]).await.unwrap();
    assert_eq!(script.lines().last().unwrap(), "POST http://project.test/storage/v1/vector/DeleteVectors");
}

#[tokio::test]
async fn buckets_of_tables_are_made_listed_and_removed() {
    let bucket = r#"{"name":"a","type":"ANALYTICS","format":"iceberg","created_at":"x","updated_at":"x"}"#;
    let (script, client) = Script::client([(200, bucket), (200, "[]"), (200, r#"{"message":"m"}"#)]);
    let analytics = client.storage().analytics();
    assert_eq!(analytics.create_bucket("a").await.unwrap().name, "a");
    assert_eq!(script.body(), r#"{"name":"a"}"#);
    assert!(analytics.buckets(10, 20).await.unwrap().is_empty());
    analytics.delete_bucket("a b").await.unwrap();
    let at = "http://project.test/storage/v1/iceberg/bucket";
    let list = format!("GET {at}?limit=10&offset=20&sortColumn=name&sortOrder=asc");
    assert_eq!(script.lines(), [format!("POST {at}"), list, format!("DELETE {at}/a%20b")]);
}

#[tokio::test]
async fn a_catalog_knows_namespaces_and_tables() {
    use serde_json::json;
    use supabase_sdk::storage::Purge;
    let tables = r#"{"identifiers":[{"namespace":["a","b"],"name":"t"}]}"#;
    let mut answers = [(200, "{}"); 14];
    (answers[1].1, answers[6].1) = (r#"{"namespaces":[["a","b"]]}"#, tables);
    (answers[3].0, answers[8].0) = (404, 204);
    let (script, client) = Script::client(answers);
    let (catalog, space) = (client.storage().analytics().from("w"), ["a", "b"].as_slice());
    catalog.create_namespace(space, &json!({})).await.unwrap();
    assert_eq!(catalog.namespaces().await.unwrap(), [["a", "b"]]);
    catalog.namespace(space).await.unwrap();
    assert!(!catalog.namespace_exists(space).await.unwrap());
    catalog.update_namespace(space, &json!({ "k": "v" }), &["x"]).await.unwrap();
    catalog.create_table(space, &json!({ "name": "t" })).await.unwrap();
    assert_eq!(catalog.tables(space).await.unwrap()[0].name, "t");
    catalog.table(space, "t").await.unwrap();
    assert!(catalog.table_exists(space, "t").await.unwrap());
    catalog.update_table(space, "t", &json!({})).await.unwrap();
    catalog.rename_table((space, "t"), (space, "u")).await.unwrap();
    catalog.register_table(space, "t", "s3://w/t.json").await.unwrap();
    catalog.delete_table(space, "t", Purge::Files).await.unwrap();
    catalog.delete_namespace(space).await.unwrap();
    assert_eq!(kind(catalog.namespace(&[]).await), ErrorKind::Invalid);
    let at = "http://project.test/storage/v1/iceberg/v1/w";
    let expected = [
        "POST /namespaces",
        "GET /namespaces",
        "GET /namespaces/a%1Fb",
        "HEAD /namespaces/a%1Fb",
        "POST /namespaces/a%1Fb/properties",
        "POST /namespaces/a%1Fb/tables",
        "GET /namespaces/a%1Fb/tables",
        "GET /namespaces/a%1Fb/tables/t",
        "HEAD /namespaces/a%1Fb/tables/t",
        "POST /namespaces/a%1Fb/tables/t",
        "POST /tables/rename",
        "POST /namespaces/a%1Fb/register",
        "DELETE /namespaces/a%1Fb/tables/t?purgeRequested=true",
        "DELETE /namespaces/a%1Fb",
    ];
    assert_eq!(script.lines(), expected.map(|line| line.replacen(' ', &format!(" {at}"), 1)));
}
