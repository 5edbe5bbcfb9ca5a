//! Uploads that go on where they were cut, as the client hosted projects are told to use does them.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::{
    node::node,
    service::{Lab, Project, Reply},
};

const SQL: &str = "
    insert into storage.buckets (id, name, file_size_limit, allowed_mime_types)
        values ('own', 'own', 7000000, array['image/*']);
    create policy own on storage.objects to authenticated
        using (bucket_id = 'own' and name <> 'forbidden') with check (bucket_id = 'own' and name <> 'forbidden');";

/// `bucketName own,objectName a,contentType image/png`
const METADATA: &str = "bucketName b3du,objectName YQ==,contentType aW1hZ2UvcG5n";

impl Project {
    fn tus(&self, method: Method, url: &str) -> RequestBuilder {
        let request = reqwest::Client::new().request(method, url).header("tus-resumable", "1.0.0");
        request.header("apikey", &self.secret_key)
    }

    fn create(&self) -> RequestBuilder {
        self.tus(Method::POST, &format!("{}/storage/v1/upload/resumable", self.api_url))
    }

    fn patch(&self, url: &str, offset: u64, body: &'static str) -> RequestBuilder {
        let patch = self.tus(Method::PATCH, url).header("content-type", "application/offset+octet-stream");
        patch.header("upload-offset", offset).body(body)
    }

    async fn begin(&self, length: u64) -> String {
        let create = self.create().header("upload-length", length).header("upload-metadata", METADATA);
        let created = Reply::to(create).await;
        assert_eq!(created.status, StatusCode::CREATED, "{}", created.body);
        assert!(created.header("upload-expires").ends_with(" GMT"));
        created.header("location").to_owned()
    }
}

#[tokio::test]
async fn tus_js_client_uploads_resumes_and_is_refused() {
    let Some(mut node) = node("resumable.mjs") else { return };
    let project = Lab::project(SQL).await;
    let ana = project.sign_up("ana@example.com").await;
    let sign = project.command(Method::POST, "/storage/v1/object/upload/sign/own/signed");
    let signature = Reply::to(sign).await.json()["token"].as_str().unwrap().to_owned();
    node.envs([
        ("SUPABASE_URL", &project.api_url),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("TOKEN", &ana.access_token),
        ("SIGNATURE", &signature),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "stopped": "stopped",
        "head": [200, "6291456", "6291461"],
        "resumed": "done",
        "again": ["failed", 409, "The resource already exists"],
        "upsert": "done",
        "inOne": "done",
        "empty": "done",
        "deferred": "done",
        "forbidden": ["failed", 403, "new row violates row-level security policy"],
        "tooLarge": ["failed", 413, "Maximum size exceeded\n"],
        "signed": ["done", ["failed", 400, "Invalid signature"]],
        "terminated": 404,
    });
    assert_eq!(seen, expected);
    let stored =
        "select string_agg(name || ' ' || (metadata ->> 'size'), ',' order by name) from storage.objects";
    assert_eq!(project.text(stored).await, "deferred 3,empty 0,large 3,one 3,signed 3");
    let of = "select owner_id || (metadata ->> 'mimetype') || (metadata ->> 'cacheControl') || user_metadata
        from storage.objects where name = 'one'";
    assert_eq!(project.text(of).await, format!("{}image/pngmax-age=60{{\"k\": \"v\"}}", ana.id));
    let read = Reply::to(project.command(Method::GET, "/storage/v1/object/own/one")).await;
    assert_eq!((read.body.as_str(), read.header("etag")), ("tea", "\"7239ea2b5dc943f61f3c0a0276c20974\""));
}

#[tokio::test]
async fn an_upload_goes_on_only_where_it_is() {
    let project = Lab::project(SQL).await;
    let url = project.begin(4).await;
    for (request, status) in [
        (project.patch(&url, 1, "tea"), 409),
        (project.patch(&url, 0, "too long"), 413),
        (project.patch(&url, 0, "tea"), 204),
        (project.tus(Method::PATCH, &url).body("x"), 403),
        (project.tus(Method::PATCH, &format!("{url}AA")), 404),
        (project.create().header("upload-metadata", METADATA), 400),
        (project.create().header("upload-length", "4").header("upload-metadata", "bucketName !"), 400),
        (project.create().header("upload-length", "x").header("upload-metadata", METADATA), 400),
    ] {
        let reply = Reply::to(request).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("tus-resumable")),
            (status, "1.0.0"),
            "{}",
            reply.body
        );
    }
    let old = reqwest::Client::new().head(&url).header("apikey", &project.secret_key);
    assert_eq!(Reply::to(old).await.status, StatusCode::PRECONDITION_FAILED);
    let keyless = reqwest::Client::new().head(&url).header("tus-resumable", "1.0.0");
    assert_eq!(Reply::to(keyless).await.status, StatusCode::BAD_REQUEST);
    let head = Reply::to(project.tus(Method::HEAD, &url)).await;
    assert_eq!((head.header("upload-offset"), head.header("cache-control")), ("3", "no-store"));
    assert_eq!(head.header("upload-metadata"), METADATA);
    let last = Reply::to(project.patch(&url, 3, "s")).await;
    assert_eq!(
        (last.status.as_u16(), last.header("upload-offset"), last.header("tus-complete")),
        (204, "4", "1")
    );
    assert_eq!(Reply::to(project.tus(Method::DELETE, &url)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(Reply::to(project.command(Method::GET, "/storage/v1/object/own/a")).await.body, "teas");
    let options = project.tus(Method::OPTIONS, &format!("{}/storage/v1/upload/resumable", project.api_url));
    assert_eq!(Reply::to(options).await.header("tus-max-size"), "52428800");
    let html = METADATA.replace("aW1hZ2UvcG5n", "dGV4dC9odG1s");
    let refused = project.create().header("upload-length", 4).header("upload-metadata", html);
    assert_eq!(Reply::to(refused).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// Written by hand: a client that says it will send ten bytes, sends four and hangs up.
#[tokio::test]
async fn what_came_before_a_cut_is_kept() {
    let project = Lab::project(SQL).await;
    let url = project.begin(10).await;
    let address = project.api_url.trim_start_matches("http://").to_owned();
    let head = format!(
        "PATCH {} HTTP/1.1\r\nHost: {address}\r\napikey: {}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\n\
         Content-Type: application/offset+octet-stream\r\nContent-Length: 10\r\n\r\nhalf",
        url.trim_start_matches(&project.api_url),
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
    let head = Reply::to(project.tus(Method::HEAD, &url)).await;
    assert_eq!(head.header("upload-offset"), "4");
    assert_eq!(Reply::to(project.patch(&url, 4, "whole.")).await.header("tus-complete"), "1");
    assert_eq!(Reply::to(project.command(Method::GET, "/storage/v1/object/own/a")).await.body, "halfwhole.");
}
