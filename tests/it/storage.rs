//! Files, from the SDK to the disk and back: real bytes against the policies of the migrations.

use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::{TryStreamExt as _, stream};
use serde_json::{Value, json};
use supabase_sdk::rest::col;
use supabase_sdk::storage::{BucketOptions, Files, SortBy};
use supabase_sdk::{Body, Client, Error, ErrorKind};

use crate::project::{Person, Project};

const MINUTE: Duration = Duration::from_secs(60);

fn photos(client: &Client) -> Files {
    client.storage().from("vehicle-photos")
}

/// The garage a person has from the day they signed up.
async fn garage(person: &Person) -> String {
    let rows = person.client.from("workspaces").select("id").filter(col("kind").eq("garage")).fetch().await;
    rows.unwrap()[0]["id"].as_str().unwrap().to_owned()
}

/// Bytes that are no text, and not all the same.
fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 + at / 251) as u8).collect()
}

fn why<T>(refused: Result<T, Error>) -> (ErrorKind, String) {
    let Err(error) = refused else { panic!("this was to be refused") };
    (error.kind(), error.code().unwrap_or_default().to_owned())
}

fn because(kind: ErrorKind, code: &str) -> (ErrorKind, String) {
    (kind, code.to_owned())
}

/// Puts a picture where it may be put.
async fn put(files: &Files, path: &str, body: impl Into<Body>) {
    files.upload(path, body).content_type("image/png").send().await.unwrap();
}

#[tokio::test]
async fn bytes_come_back_as_they_went_whatever_their_name_and_number() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let (files, folder) = (photos(&owner.client), garage(&owner).await);
    for (name, length) in [
        ("empty.png", 0),
        ("a b/1 byte.png", 1),
        ("it's (5 MiB) & more, =?+;:@$!*.png", 5 << 20),
        ("deep/er/and/deep.er/.hidden", 70_000),
    ] {
        let (path, sent) = (format!("{folder}/{name}"), bytes(length));
        let said = json!({ "name": "Zoé", "number": 1 });
        let upload = files.upload(&path, sent.clone()).content_type("image/png").cache_for(MINUTE);
        let uploaded = upload.metadata(&said).unwrap().send().await.unwrap();
        assert_eq!(uploaded.path, path);
        assert!(files.download(&path).bytes().await.unwrap() == sent, "{name}");
        let info = files.info(&path).await.unwrap();
        assert_eq!((Some(info.id), info.size, info.name), (uploaded.id, Some(length as u64), path.clone()));
        assert_eq!((info.content_type.as_deref(), info.metadata), (Some("image/png"), Some(said)));
        assert_eq!(info.cache_control.as_deref(), Some("max-age=60"));
        assert!(files.exists(&path).await.unwrap());
    }
    let path = format!("{folder}/é.png");
    assert_eq!(why(files.upload(&path, "1").send().await), because(ErrorKind::Invalid, "InvalidKey"));
    let error = files.upload(&path, "1").content_type("image/png").send().await.unwrap_err();
    assert!(!error.to_string().contains(&folder), "{error}");
}

#[tokio::test]
async fn a_stream_goes_up_and_down_and_a_part_alone() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let (files, path) = (photos(&owner.client), format!("{}/streamed", garage(&owner).await));
    let sent = bytes(3 << 20);
    let pieces: Vec<_> = sent.chunks(100_000).map(bytes::Bytes::copy_from_slice).collect();
    let body = Body::stream(sent.len() as u64, move || stream::iter(pieces.clone().into_iter().map(Ok)));
    put(&files, &path, body).await;
    let coming = files.download(&path).stream().await.unwrap();
    assert_eq!((coming.length, coming.content_type.as_deref()), (Some(3 << 20), Some("image/png")));
    let came: Vec<bytes::Bytes> = coming.bytes.try_collect().await.unwrap();
    assert!(came.len() > 1 && came.concat() == sent);
    let part = files.download(&path).bytes_between(10, 19).bytes().await.unwrap();
    assert_eq!(part, sent[10..20]);
    let rest = files.download(&path).from_byte((3 << 20) - 5).bytes().await.unwrap();
    assert_eq!(rest, sent[(3 << 20) - 5..]);
    let beyond = files.download(&path).from_byte(3 << 20).bytes().await;
    assert_eq!(why(beyond), because(ErrorKind::Invalid, "InvalidRange"));

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("photo");
    std::fs::write(&file, &sent).unwrap();
    files.update(&path, Body::file(&file).await.unwrap()).content_type("image/webp").send().await.unwrap();
    assert!(files.download(&path).bytes().await.unwrap() == sent);
}

#[tokio::test]
async fn an_upload_that_is_cut_leaves_nothing() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (files, path) = (photos(&owner.client), format!("{}/cut", garage(&owner).await));
    let cut = Body::stream(1 << 20, || {
        stream::iter([Ok(bytes::Bytes::from(bytes(1000))), Err(io::Error::other("unplugged"))])
    });
    let failed = files.upload(&path, cut.clone()).content_type("image/png").upsert().send().await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unreachable);
    assert!(!files.exists(&path).await.unwrap());
    put(&files, &path, "whole").await;
    assert!(files.update(&path, cut).content_type("image/png").send().await.is_err());
    assert_eq!(files.download(&path).bytes().await.unwrap(), "whole");
}

#[tokio::test]
async fn a_vehicles_photos_are_its_garages() {
    let project = Project::target().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let (folder, anonymous) = (garage(&owner).await, project.anonymous());
    let path = format!("{folder}/car/front.png");
    put(&photos(&owner.client), &path, "picture").await;
    for client in [&stranger.client, &anonymous] {
        let files = photos(client);
        let upload = files.upload(format!("{folder}/car/back.png"), "x").content_type("image/png");
        let denied = because(ErrorKind::Forbidden, "AccessDenied");
        assert_eq!(why(upload.send().await), denied);
        assert_eq!(why(files.update(&path, "x").content_type("image/png").send().await), denied);
        let hidden = because(ErrorKind::NotFound, "NoSuchKey");
        assert_eq!(why(files.download(&path).bytes().await), hidden);
        assert_eq!(why(files.rename(&path, format!("{folder}/x.png")).send().await), hidden);
        assert_eq!(why(files.copy(&path, format!("{folder}/x.png")).send().await), hidden);
        assert_eq!(why(files.create_signed_url(&path, MINUTE).await), hidden);
        assert!(!files.exists(&path).await.unwrap());
        assert!(files.list(&folder).fetch().await.unwrap().is_empty());
        assert!(files.walk("").fetch().await.unwrap().objects.is_empty());
        assert!(files.remove([&path]).await.unwrap().is_empty());
        let address = files.public_url(&path).unwrap();
        assert_eq!(get(address.as_str()).await.0, 400, "it is not public");
    }
    assert_eq!(photos(&owner.client).download(&path).bytes().await.unwrap(), "picture");
    let mine = photos(&stranger.client);
    put(&mine, &format!("{}/1.png", garage(&stranger).await), "mine").await;
    let taken = mine.rename(format!("{}/1.png", garage(&stranger).await), &path).send().await;
    assert_eq!(why(taken), because(ErrorKind::Forbidden, "AccessDenied"));
}

#[tokio::test]
async fn anybody_sees_an_avatar_and_only_its_person_changes_it() {
    let project = Project::target().await;
    let (zoe, ben) = (project.person("zoe").await, project.person("ben").await);
    let avatars = |client: &Client| client.storage().from("avatars");
    let path = format!("{}/me.png", zoe.id);
    put(&avatars(&zoe.client), &path, "zoe").await;
    let link = avatars(&project.anonymous()).public_url(&path).unwrap();
    let (status, headers, body) = get(link.as_str()).await;
    assert_eq!((status, body.as_slice()), (200, &b"zoe"[..]));
    assert_eq!(headers["content-type"], "image/png");
    let (_, headers, _) = get(link.saved_as("Zoé.png").as_str()).await;
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment; filename=Zo%C3%A9"));
    for client in [&ben.client, &project.anonymous()] {
        let denied = avatars(client).upload(&path, "x").content_type("image/png").upsert().send().await;
        assert_eq!(why(denied), because(ErrorKind::Forbidden, "AccessDenied"));
        assert!(avatars(client).list(zoe.id.to_string()).fetch().await.unwrap().is_empty());
    }
    let again = avatars(&zoe.client).upload(&path, "new").content_type("image/png");
    assert_eq!(why(again.clone().send().await), because(ErrorKind::Conflict, "KeyAlreadyExists"));
    again.upsert().send().await.unwrap();
    assert_eq!(get(link_to(&project, &path).as_str()).await.2, b"new");
}

fn link_to(project: &Project, path: &str) -> String {
    project.anonymous().storage().from("avatars").public_url(path).unwrap().into()
}

#[tokio::test]
async fn a_backup_is_its_owners_and_never_changes() {
    let project = Project::target().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let backups = |client: &Client| client.storage().from("backups");
    let path = format!("{}/2026.json", garage(&owner).await);
    let json = "application/json";
    backups(&owner.client).upload(&path, "{}").content_type(json).send().await.unwrap();
    backups(&owner.client)
        .upload(format!("{}/own.json", owner.id), "{}")
        .content_type(json)
        .send()
        .await
        .unwrap();
    let changed = backups(&owner.client).update(&path, "[]").content_type(json).send().await;
    assert_eq!(why(changed), because(ErrorKind::Forbidden, "AccessDenied"));
    let renamed = backups(&owner.client).rename(&path, format!("{path}.old")).send().await;
    assert_eq!(why(renamed), because(ErrorKind::NotFound, "NoSuchKey"));
    let seen = backups(&stranger.client).download(&path).bytes().await;
    assert_eq!(why(seen), because(ErrorKind::NotFound, "NoSuchKey"));
    assert_eq!(backups(&owner.client).download(&path).bytes().await.unwrap(), "{}");
    assert_eq!(backups(&owner.client).remove([&path]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_bucket_refuses_what_it_does_not_take() {
    let project = Project::target().await;
    let zoe = project.person("zoe").await;
    let avatars = zoe.client.storage().from("avatars");
    let upload =
        |body: Vec<u8>, mime: &str| avatars.upload(format!("{}/me", zoe.id), body).content_type(mime).send();
    assert_eq!(why(upload(bytes(10), "image/svg+xml").await), because(ErrorKind::Invalid, "InvalidMimeType"));
    for size in [2_097_153, 20 << 20] {
        let large = upload(bytes(size), "image/png").await;
        assert_eq!(why(large), because(ErrorKind::Invalid, "EntityTooLarge"), "{size}");
    }
    upload(bytes(2_097_152), "image/png").await.unwrap();
    let nowhere = zoe.client.storage().from("nowhere").upload("a", "1").send().await;
    assert_eq!(why(nowhere), because(ErrorKind::NotFound, "NoSuchBucket"));
}

#[tokio::test]
async fn lists_have_pages_folders_and_an_order() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let (files, folder) = (photos(&owner.client), garage(&owner).await);
    for name in ["b.png", "a.png", "car 1/x.png", "car 1/y.png", "car_2/z/z.png", "c%.png"] {
        // A name with a % is refused, and not in the list.
        let upload = files.upload(format!("{folder}/{name}"), name).content_type("image/png");
        assert_eq!(upload.send().await.is_ok(), !name.contains('%'), "{name}");
    }
    let names = |entries: Vec<supabase_sdk::storage::Entry>| -> Vec<String> {
        entries.into_iter().map(|entry| entry.name).collect()
    };
    let list = files.list(&folder);
    assert_eq!(names(list.clone().fetch().await.unwrap()), ["car 1", "car_2", "a.png", "b.png"]);
    let page = list.clone().descending().limit(2).offset(1).fetch().await.unwrap();
    assert_eq!(names(page), ["car 1", "b.png"]);
    assert_eq!(names(list.clone().search("CAR_").fetch().await.unwrap()), ["car_2"]);
    let newest = list.sort_by(SortBy::CreatedAt).descending().fetch().await.unwrap();
    assert!(newest[0].is_folder() && newest[0].metadata.is_none());
    let (newest, metadata) = (&newest[2], newest[2].metadata.clone().unwrap());
    assert_eq!((newest.name.as_str(), metadata.size), ("a.png", Some(5)));
    let within = files.list(format!("{folder}/car 1")).fetch().await.unwrap();
    assert_eq!(names(within), ["x.png", "y.png"]);
    assert!(files.list("nothing").fetch().await.unwrap().is_empty());

    let prefix = format!("{folder}/");
    let all: Vec<_> = files.walk(&prefix).page_size(2).stream().try_collect().await.unwrap();
    let all: Vec<_> = names(all).iter().map(|name| name.replace(&prefix, "")).collect();
    assert_eq!(all, ["a.png", "b.png", "car 1/x.png", "car 1/y.png", "car_2/z/z.png"]);
    let page = files.walk(&prefix).by_folder().page_size(3).fetch().await.unwrap();
    assert_eq!(names(page.folders), [format!("{prefix}car 1/")]);
    let next = files.walk(&prefix).by_folder().after(page.next_cursor.unwrap()).fetch().await.unwrap();
    assert_eq!((names(next.folders), next.objects.len()), (vec![format!("{prefix}car_2/")], 0));
    assert!(next.next_cursor.is_none());
}

#[tokio::test]
async fn objects_are_moved_copied_and_removed() {
    let project = Project::target().await;
    let owner = project.person("owner").await;
    let (files, folder) = (photos(&owner.client), garage(&owner).await);
    let path = |name: &str| format!("{folder}/{name}");
    put(&files, &path("a.png"), "a").await;
    let id = files.info(&path("a.png")).await.unwrap().id;
    assert_eq!(files.rename(path("a.png"), path("b c.png")).send().await.unwrap(), Some(id));
    assert!(!files.exists(&path("a.png")).await.unwrap());
    assert_eq!(files.download(path("b c.png")).bytes().await.unwrap(), "a");
    assert_ne!(files.copy(path("b c.png"), path("d.png")).send().await.unwrap(), Some(id));
    let me = format!("{}/me.png", owner.id);
    files.copy(path("b c.png"), &me).to_bucket("avatars").send().await.unwrap();
    assert_eq!(get(&link_to(&project, &me)).await.2, b"a");
    put(&files, &path("e.png"), "e").await;
    let taken = because(ErrorKind::Conflict, "KeyAlreadyExists");
    assert_eq!(why(files.rename(path("e.png"), path("d.png")).send().await), taken);
    assert_eq!(why(files.copy(path("e.png"), path("d.png")).send().await), taken);
    files.copy(path("e.png"), path("d.png")).upsert().send().await.unwrap();
    assert_eq!(files.download(path("d.png")).bytes().await.unwrap(), "e");
    files.copy(path("d.png"), path("d.png")).upsert().send().await.unwrap();
    assert_eq!(files.download(path("d.png")).bytes().await.unwrap(), "e");
    let gone = files.remove([path("d.png"), path("e.png"), path("nothing.png")]).await.unwrap();
    let mut gone: Vec<_> = gone.into_iter().map(|entry| entry.name).collect();
    gone.sort();
    assert_eq!(gone, [path("d.png"), path("e.png")]);
    assert_eq!(files.list(&folder).fetch().await.unwrap().len(), 1);
    assert!(files.remove(Vec::<String>::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_address_is_signed_for_one_object_and_a_while() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (files, folder) = (photos(&owner.client), garage(&owner).await);
    let path = format!("{folder}/a b.png");
    put(&files, &path, "picture").await;
    let link = files.create_signed_url(&path, MINUTE).await.unwrap();
    let (status, headers, body) = get(link.as_str()).await;
    assert_eq!((status, body.as_slice()), (200, &b"picture"[..]));
    assert!(headers.contains_key("expires") && !headers.contains_key("cache-control"));
    let said = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["code"].clone();
    let elsewhere = link.as_str().replace("a%20b.png", "c.png");
    assert_eq!(said(&get(&elsewhere).await.2), "InvalidSignature");
    let forged = format!("{}x", link.as_str());
    assert_eq!(said(&get(&forged).await.2), "InvalidJWT");
    let url = format!("vehicle-photos/{path}");
    let old = token(&project, &json!({ "url": url, "iat": 1, "exp": 2 })).await;
    let old = link.as_str().replace(link.token(), &old);
    assert_eq!(said(&get(&old).await.2), "InvalidJWT");
    assert_eq!(files.create_signed_url(&path, Duration::ZERO).await.unwrap_err().kind(), ErrorKind::Invalid);

    let signed = files.create_signed_urls([path.as_str(), "nothing.png"], MINUTE).await.unwrap();
    assert_eq!(get(signed[0].link.as_ref().unwrap().as_str()).await.2, b"picture");
    assert!(signed[1].path == "nothing.png" && signed[1].link.is_err());
}

#[tokio::test]
async fn an_address_to_upload_to_is_used_by_who_has_no_session() {
    let project = Project::embedded().await;
    let (owner, stranger) = (project.person("owner").await, project.person("stranger").await);
    let (files, path) = (photos(&owner.client), format!("{}/up.png", garage(&owner).await));
    let refused = photos(&stranger.client).create_signed_upload_url(&path).await;
    assert_eq!(why(refused), because(ErrorKind::Forbidden, "AccessDenied"));
    let link = files.create_signed_upload_url(&path).await.unwrap();
    let guest = photos(&project.anonymous());
    let upload = |path: &str, link| guest.upload_to_signed_url(path, link, "up").content_type("image/png");
    let elsewhere = upload(&format!("{path}.png"), link.clone()).send().await;
    assert_eq!(why(elsewhere), because(ErrorKind::Invalid, "InvalidSignature"));
    upload(&path, link.clone()).send().await.unwrap();
    assert_eq!(files.download(&path).bytes().await.unwrap(), "up");
    assert_eq!(why(upload(&path, link).send().await), because(ErrorKind::Conflict, "KeyAlreadyExists"));
    let upsert = files.create_signed_upsert_url(&path).await.unwrap();
    let newer = guest.upload_to_signed_url(&path, upsert, "newer").content_type("image/png");
    newer.send().await.unwrap();
    assert_eq!(files.download(&path).bytes().await.unwrap(), "newer");
    let url = format!("vehicle-photos/{path}");
    let old = json!({ "owner": owner.id, "url": url, "upsert": true, "iat": 1, "exp": 2 });
    let old = token(&project, &old).await;
    let address = format!("/storage/v1/object/upload/sign/{url}");
    let late = supabase_sdk::Request::new(http::Method::PUT, address).query("token", old);
    let late = project.anonymous().send(late).await.unwrap().accepted();
    assert_eq!(why(late), because(ErrorKind::Invalid, "InvalidJWT"));
}

#[tokio::test]
async fn of_two_uploads_at_once_one_wins_and_is_whole() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (files, folder) = (photos(&owner.client), garage(&owner).await);
    let path = format!("{folder}/race.png");
    let (ones, twos) = (vec![1; 300_000], vec![2; 200_000]);
    let upload = |bytes: &Vec<u8>| files.upload(&path, bytes.clone()).content_type("image/png");
    let (first, second) = tokio::join!(upload(&ones).send(), upload(&twos).send());
    let loser = match (first, second) {
        (Ok(_), Err(loser)) | (Err(loser), Ok(_)) => loser,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(Err::<(), _>(loser)), because(ErrorKind::Conflict, "KeyAlreadyExists"));
    for _ in 0..10 {
        let replace = |bytes| upload(bytes).upsert();
        let (replace_one, replace_two) = (replace(&ones), replace(&twos));
        let read = files.download(&path);
        let (first, second, read) = tokio::join!(replace_one.send(), replace_two.send(), read.bytes());
        first.and(second).unwrap();
        let read = read.unwrap();
        assert!(read == ones || read == twos, "a reader sees one or the other, whole");
    }
    let left = files.download(&path).bytes().await.unwrap();
    assert!(left == ones || left == twos);
    let entry = files.list(&folder).fetch().await.unwrap().remove(0);
    assert_eq!(entry.metadata.unwrap().size, Some(left.len() as u64));
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_known_by_its_content() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (files, folder) = (photos(&owner.client), garage(&owner).await);
    let lose_one = json!([{
        "method": "POST", "path": "/storage/v1/object", "times": 1, "action": { "kind": "lose_answer" }
    }]);
    project.faults(lose_one).await;
    let path = format!("{folder}/lost.png");
    let uploaded = files.upload(&path, "ours").content_type("image/png").send().await.unwrap();
    assert_eq!(uploaded.id, Some(files.info(&path).await.unwrap().id));
    let again = files.upload(&path, "ours").content_type("image/png").send().await;
    assert_eq!(why(again), because(ErrorKind::Conflict, "KeyAlreadyExists"), "nothing was lost this time");
}

#[tokio::test]
async fn buckets_are_the_secret_keys() {
    let project = Project::embedded().await;
    let (storage, zoe) = (project.secret().storage(), project.person("zoe").await);
    let options = BucketOptions::default().public(true).file_size_limit(10).allowed_mime_types(["text/*"]);
    storage.create_bucket("notes", &options).await.unwrap();
    let twice = storage.create_bucket("notes", &options).await;
    assert_eq!(why(twice), because(ErrorKind::Conflict, "BucketAlreadyExists"));
    let made = storage.bucket("notes").await.unwrap();
    assert_eq!((made.public, made.file_size_limit), (true, Some(10)));
    assert_eq!(made.allowed_mime_types, Some(vec!["text/*".to_owned()]));
    storage.update_bucket("notes", &BucketOptions::default().public(false).any_mime_type()).await.unwrap();
    let changed = storage.bucket("notes").await.unwrap();
    assert_eq!(
        (changed.public, changed.file_size_limit, changed.allowed_mime_types),
        (false, Some(10), None)
    );
    let ids: Vec<_> = storage.buckets().await.unwrap().into_iter().map(|bucket| bucket.id).collect();
    assert_eq!(ids, ["avatars", "backups", "notes", "vehicle-photos"]);

    let theirs = zoe.client.storage();
    assert!(theirs.buckets().await.unwrap().is_empty());
    assert_eq!(why(theirs.bucket("notes").await), because(ErrorKind::NotFound, "NoSuchBucket"));
    let made = theirs.create_bucket("mine", &BucketOptions::default()).await;
    assert_eq!(why(made), because(ErrorKind::Forbidden, "AccessDenied"));
    assert_eq!(why(theirs.delete_bucket("notes").await), because(ErrorKind::NotFound, "NoSuchBucket"));

    storage.from("notes").upload("a", "1").send().await.unwrap();
    let full = storage.delete_bucket("notes").await;
    assert_eq!(why(full), because(ErrorKind::Conflict, "ResourceNotEmpty"));
    storage.empty_bucket("notes").await.unwrap();
    assert!(!storage.from("notes").exists("a").await.unwrap());
    storage.delete_bucket("notes").await.unwrap();
    assert_eq!(why(storage.bucket("notes").await), because(ErrorKind::NotFound, "NoSuchBucket"));
}

/// What anybody gets at an address who has nothing but it.
async fn get(address: &str) -> (u16, http::HeaderMap, Vec<u8>) {
    use supabase_sdk::{HttpTransport, Request, Transport as _};
    let transport = HttpTransport::new(MINUTE).unwrap();
    let reply = transport.send(address, &Request::get("/")).await.unwrap();
    (reply.status.as_u16(), reply.headers, reply.body.to_vec())
}

/// A token the project signed, of whatever time.
async fn token(project: &Project, claims: &Value) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", encode(r#"{"alg":"HS256","typ":"JWT"}"#), encode(&claims.to_string()));
    let sql = "select extensions.hmac(convert_to($1, 'utf8'), convert_to($2, 'utf8'), 'sha256')";
    let row = project.database().await.query_one(sql, &[&signed, &project.place().jwt_secret]).await.unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(row.get::<_, Vec<u8>>(0)))
}

#[tokio::test]
async fn a_large_file_goes_in_pieces_and_on_where_it_stopped() {
    let project = Project::embedded().await;
    let owner = project.person("owner").await;
    let (files, folder) = (owner.client.storage().from("backups"), owner.id);
    let (path, sent) = (format!("{folder}/film.bin"), bytes(7 << 20));
    let desk = tempfile::tempdir().unwrap();
    let kept = || supabase_sdk::storage::FileResumes::in_folder(desk.path());
    let upload = || files.upload(&path, sent.clone()).content_type("application/gzip");
    // The second piece never gets there, and nobody waits for it.
    let rule = json!([{ "path": "/storage/v1/upload/resumable", "method": "PATCH", "skip": 1, "action": { "kind": "refuse" } }]);
    project.faults(rule).await;
    let first = upload().resumable().kept_in(kept()).piece_size(6 << 20);
    tokio::select! {
        done = first.send() => panic!("{done:?}"),
        () = project.wait_for_fault() => {}
    }
    project.faults(json!([])).await;
    let (told, tell) = std::sync::mpsc::channel();
    let again = upload().resumable().kept_in(kept()).piece_size(6 << 20);
    again.on_progress(move |progress| told.send(progress.sent).unwrap()).send().await.unwrap();
    assert!(tell.iter().next().unwrap() > 0, "it goes on, and does not begin anew");
    assert!(files.download(&path).bytes().await.unwrap() == sent);
}
