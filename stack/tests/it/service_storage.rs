//! The storage service as HTTP clients meet it: rights, ranges, forms, and what a cut connection leaves.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::service::{Lab, Person, Project, Reply};

/// A bucket of one's own folder, one anybody reads, and one whose objects are put there unseen.
const BUCKETS: &str = "
    insert into storage.buckets (id, name, public, file_size_limit, allowed_mime_types) values
        ('own', 'own', false, 1000, array['text/plain', 'image/*']),
        ('open', 'open', true, null, null),
        ('drop', 'drop', false, null, null);
    create policy own on storage.objects to authenticated
        using (bucket_id = 'own' and (storage.foldername(name))[1] = auth.uid()::text)
        with check (bucket_id = 'own' and (storage.foldername(name))[1] = auth.uid()::text);
    create policy drop on storage.objects for insert to anon with check (bucket_id = 'drop');";

async fn project() -> (Project, Person) {
    let project = Lab::project(BUCKETS).await;
    let ana = project.sign_up("ana@example.com").await;
    (project, ana)
}

impl Project {
    fn storage(&self, method: Method, path: &str) -> RequestBuilder {
        self.ask(method, &format!("/storage/v1{path}"))
    }

    fn storage_as(&self, person: &Person, method: Method, path: &str) -> RequestBuilder {
        self.storage(method, path).bearer_auth(&person.access_token)
    }

    async fn put(&self, path: &str, body: &'static str) {
        let put = self.command(Method::POST, &format!("/storage/v1/object/{path}"));
        let reply = Reply::to(put.header("content-type", "text/plain").body(body)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
    }

    async fn count(&self) -> String {
        self.text("select count(*) from storage.objects").await
    }
}

#[tokio::test]
async fn policies_decide_who_may_do_what() {
    let (project, ana) = project().await;
    let ben = project.sign_up("ben@example.com").await;
    let path = format!("/object/own/{}/a b.txt", ana.id);
    let upload = |person: &Person| {
        project.storage_as(person, Method::POST, &path).header("content-type", "text/plain").body("tea")
    };
    let refused = Reply::to(upload(&ben)).await;
    assert_eq!(refused.refusal(), (400, "AccessDenied".to_owned()));
    assert_eq!(refused.json()["statusCode"], "403");
    assert_eq!(refused.json()["message"], "new row violates row-level security policy");
    let made = Reply::to(upload(&ana)).await.json();
    assert_eq!(made["Key"], format!("own/{}/a b.txt", ana.id));
    assert_eq!(project.text("select owner_id from storage.objects").await, ana.id);

    let read = Reply::to(project.storage_as(&ana, Method::GET, &path)).await;
    assert_eq!((read.body.as_str(), read.header("content-type")), ("tea", "text/plain"));
    assert_eq!(read.header("cache-control"), "no-cache");
    for strange in [project.storage_as(&ben, Method::GET, &path), project.storage(Method::GET, &path)] {
        assert_eq!(Reply::to(strange).await.refusal(), (400, "NoSuchKey".to_owned()));
    }
    let keyless = project.bare(Method::GET, &format!("/storage/v1{path}"));
    assert_eq!(Reply::to(keyless).await.refusal(), (400, "NoSuchBucket".to_owned()));
    let again = Reply::to(upload(&ana)).await;
    assert_eq!(
        (again.refusal().1.as_str(), &again.json()["error"]),
        ("KeyAlreadyExists", &json!("Duplicate"))
    );
    let removal = |person| {
        let asked = json!({"prefixes": [format!("{}/a b.txt", ana.id), "nothing"]});
        project.storage_as(person, Method::DELETE, "/object/own").json(&asked)
    };
    assert_eq!(Reply::to(removal(&ben)).await.json(), json!([]));
    assert_eq!(Reply::to(removal(&ana)).await.json()[0]["id"], made["Id"]);
    assert_eq!(project.count().await, "0");
}

#[tokio::test]
async fn what_may_be_added_and_not_seen_is_added() {
    let (project, _) = project().await;
    let post = || project.storage(Method::POST, "/object/drop/a").body("1");
    assert_eq!(Reply::to(post()).await.status, StatusCode::OK);
    assert_eq!(Reply::to(post()).await.refusal().1, "KeyAlreadyExists");
    let put = project.storage(Method::PUT, "/object/drop/a").body("2");
    assert_eq!(Reply::to(put).await.refusal().1, "AccessDenied");
    let seen = Reply::to(project.command(Method::GET, "/storage/v1/object/drop/a")).await;
    assert_eq!(seen.body, "1");
}

#[tokio::test]
async fn a_token_has_to_be_genuine_and_of_a_role_the_api_has() {
    let (project, _) = project().await;
    let claims = |role: &str| json!({"role": role, "exp": 4_000_000_000_i64});
    let signed = |claims: &Value, secret: &str| {
        let sign = "with parts as (select
            replace(translate(encode(convert_to('{\"alg\":\"HS256\",\"typ\":\"JWT\"}', 'utf8'), 'base64'), '+/=', '-_'), e'\\n', '')
            || '.' || replace(translate(encode(convert_to('{claims}', 'utf8'), 'base64'), '+/=', '-_'), e'\\n', '') as said)
            select said || '.' || translate(encode(extensions.hmac(said, '{secret}', 'sha256'), 'base64'), '+/=', '-_') from parts";
        sign.replace("{claims}", &claims.to_string()).replace("{secret}", secret)
    };
    for (claims, secret, message) in [
        (claims("service_role"), "another", "signature verification failed"),
        (claims("supabase_admin"), &project.jwt_secret, "permission denied to set role"),
        (claims("no such role"), &project.jwt_secret, "permission denied to set role"),
        (
            json!({"role": "service_role", "exp": 1}),
            &project.jwt_secret,
            "\"exp\" claim timestamp check failed",
        ),
    ] {
        let token = project.text(&signed(&claims, secret)).await;
        let asked = project.storage(Method::GET, "/bucket").bearer_auth(token);
        let refused = Reply::to(asked).await.json();
        assert_eq!((&refused["statusCode"], &refused["message"]), (&json!("403"), &json!(message)));
    }
    let bare = Reply::to(project.bare(Method::GET, "/storage/v1/bucket")).await;
    assert_eq!(bare.json()["message"], "headers must have required property 'authorization'");
}

#[tokio::test]
async fn a_bucket_takes_what_it_says() {
    let (project, ana) = project().await;
    let upload = |body: String, mime: &'static str| {
        let path = format!("/object/own/{}/a", ana.id);
        project.storage_as(&ana, Method::POST, &path).header("content-type", mime).body(body)
    };
    for (size, mime, code) in [
        (1001, "text/plain", "EntityTooLarge"),
        (10_000_000, "text/plain", "EntityTooLarge"),
        (1, "text/html", "InvalidMimeType"),
    ] {
        let refused = Reply::to(upload("x".repeat(size), mime)).await;
        assert_eq!(refused.refusal(), (400, code.to_owned()), "{size} {mime}");
    }
    let chunks = futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("x".repeat(100))));
    let path = format!("/object/own/{}/a", ana.id);
    let endless = project.storage_as(&ana, Method::POST, &path).header("content-type", "text/plain");
    let endless = Reply::to(endless.body(reqwest::Body::wrap_stream(chunks))).await;
    assert_eq!(endless.refusal().1, "EntityTooLarge", "no length was said");
    assert_eq!(project.count().await, "0");
    assert_eq!(Reply::to(upload("x".repeat(1000), "image/webp")).await.status, StatusCode::OK);
    for name in ["%C3%A9.png", "a%25b", "a%5Bb"] {
        let odd = Reply::to(project.command(Method::POST, &format!("/storage/v1/object/open/{name}"))).await;
        assert_eq!(odd.refusal().1, "InvalidKey", "{name}");
    }
}

#[tokio::test]
async fn a_form_is_read_whatever_the_order_of_its_fields() {
    let (project, ana) = project().await;
    let file = "--b\r\nContent-Disposition: form-data; name=\"\"; filename=\"x\"\r\nContent-Type: image/png\r\n\r\n\0\r\n-\r\n";
    let fields = "--b\r\nContent-Disposition: form-data; name=\"cacheControl\"\r\n\r\n60\r\n\
        --b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{\"k\":\"v\"}\r\n";
    for (name, form) in [("a", format!("{file}{fields}--b--\r\n")), ("b", format!("{fields}{file}--b--\r\n"))]
    {
        let path = format!("{}/{name}", ana.id);
        let post = project.storage_as(&ana, Method::POST, &format!("/object/own/{path}"));
        let reply =
            Reply::to(post.header("content-type", "multipart/form-data; boundary=b").body(form)).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.body);
        let info = project.storage_as(&ana, Method::GET, &format!("/object/info/own/{path}"));
        let info = Reply::to(info).await.json();
        let seen = [&info["size"], &info["content_type"], &info["cache_control"], &info["metadata"]];
        assert_eq!(seen, [&json!(4), &json!("image/png"), &json!("max-age=60"), &json!({"k": "v"})]);
    }
    let path = format!("/object/own/{}/c", ana.id);
    let without = project.storage_as(&ana, Method::POST, &path);
    let without =
        without.header("content-type", "multipart/form-data; boundary=b").body(format!("{fields}--b--\r\n"));
    assert_eq!(Reply::to(without).await.json()["message"], "No content provided");
}

#[tokio::test]
async fn a_part_is_given_and_what_is_known_is_not() {
    let (project, _) = project().await;
    project.put("open/d/n.txt", "0123456789").await;
    let get = || project.bare(Method::GET, "/storage/v1/object/public/open/d/n.txt");
    let whole = Reply::to(get()).await;
    assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", "10"));
    let etag = whole.header("etag").to_owned();
    let part = Reply::to(get().header("range", "bytes=2-4").header("if-range", &etag)).await;
    assert_eq!((part.status.as_u16(), part.body.as_str()), (206, "234"));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let changed = Reply::to(get().header("range", "bytes=2-4").header("if-range", "\"other\"")).await;
    assert_eq!((changed.status.as_u16(), changed.body.len()), (200, 10));
    let beyond = Reply::to(get().header("range", "bytes=10-")).await;
    assert_eq!(
        (beyond.refusal(), beyond.header("content-range")),
        ((416, "InvalidRange".to_owned()), "bytes */10")
    );
    let known = Reply::to(get().header("if-none-match", &etag)).await;
    assert_eq!((known.status.as_u16(), known.body.as_str(), known.header("etag")), (304, "", &*etag));
    let since = Reply::to(get().header("if-modified-since", whole.header("last-modified"))).await;
    assert_eq!(since.status, StatusCode::NOT_MODIFIED);
    let head = Reply::to(project.bare(Method::HEAD, "/storage/v1/object/public/open/d/n.txt")).await;
    assert_eq!((head.header("content-length"), head.body.as_str()), ("10", ""));
    let saved = Reply::to(get().query(&[("download", "é.txt")])).await;
    assert_eq!(
        saved.header("content-disposition"),
        "attachment; filename=%C3%A9%2Etxt; filename*=UTF-8''%C3%A9%2Etxt;"
    );
    let hidden = Reply::to(project.bare(Method::GET, "/storage/v1/object/public/own/a")).await;
    assert_eq!(hidden.refusal().1, "NoSuchBucket");
}

#[tokio::test]
async fn a_page_somebody_uploaded_does_not_run_on_the_projects_address() {
    let (project, _) = project().await;
    let put = project.command(Method::POST, "/storage/v1/object/open/page.html");
    Reply::to(put.header("content-type", "text/html").body("<script>")).await;
    let got = Reply::to(project.bare(Method::GET, "/storage/v1/object/public/open/page.html")).await;
    assert_eq!(got.header("content-type"), "text/plain");
}

/// Written by hand: a client that says it will send ten bytes, sends four and hangs up.
#[tokio::test]
async fn a_cut_upload_leaves_nothing() {
    let (project, _) = project().await;
    let address = project.api_url.trim_start_matches("http://").to_owned();
    let head = format!(
        "POST /storage/v1/object/open/a HTTP/1.1\r\nHost: {address}\r\napikey: {}\r\nContent-Length: 10\r\n\r\nhalf",
        project.secret_key
    );
    let cut = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        // Until the server is done with it.
        stream.read_to_end(&mut Vec::new()).ok();
    };
    tokio::task::spawn_blocking(cut).await.unwrap();
    let read = Reply::to(project.command(Method::GET, "/storage/v1/object/open/a")).await;
    assert_eq!(read.refusal().1, "NoSuchKey");
    assert_eq!(project.count().await, "0");
    project.put("open/a", "whole").await;
}

#[tokio::test]
async fn a_version_that_sql_made_up_leads_nowhere() {
    let (project, _) = project().await;
    project
        .sql(
            "insert into storage.objects (bucket_id, name, version) values
                ('open', 'a', '../../keys.json'), ('open', 'b', null),
                ('open', 'c', '8b7c8e0c-6f1d-4f3e-9a55-3d3d3d3d3d3d')",
        )
        .await;
    for name in ["a", "b", "c"] {
        let got = project.bare(Method::GET, &format!("/storage/v1/object/public/open/{name}"));
        assert_eq!(Reply::to(got).await.refusal().1, "NoSuchKey", "{name}");
    }
}

#[tokio::test]
async fn a_list_goes_on_where_its_page_ended_in_either_direction() {
    let (project, _) = project().await;
    for name in ["a", "b/1", "b/2", "c"] {
        project.put(&format!("open/{name}"), "1").await;
    }
    for (order, expected) in [("asc", ["a", "b/", "c"]), ("desc", ["c", "b/", "a"])] {
        let (mut seen, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let asked = json!({"limit": 1, "with_delimiter": true, "cursor": cursor, "sortBy": {"column": "name", "order": order}});
            let page = project.command(Method::POST, "/storage/v1/object/list-v2/open").json(&asked);
            let page = Reply::to(page).await.json();
            for kind in ["folders", "objects"] {
                let found = page[kind].as_array().unwrap().iter();
                seen.extend(found.map(|entry| entry["name"].as_str().unwrap().to_owned()));
            }
            if page["hasNext"] == false {
                break;
            }
            cursor = page["nextCursor"].clone();
        }
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn what_is_not_imitated_says_so() {
    let (project, _) = project().await;
    for (method, path) in
        [(Method::GET, "/s3/open"), (Method::POST, "/vector/ListIndexes"), (Method::DELETE, "/cdn/open/a")]
    {
        let reply = Reply::to(project.storage(method, path)).await;
        assert_eq!(reply.status, StatusCode::NOT_IMPLEMENTED, "{path}");
        assert!(reply.json()["message"].as_str().unwrap().contains(path));
    }
}
