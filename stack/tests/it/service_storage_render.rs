//! Transformed images, as the official JavaScript client asks for them.

use std::io::Cursor;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    node::node,
    service::{Lab, Reply},
};

const SQL: &str = "
    insert into storage.buckets (id, name, public) values ('open', 'open', true), ('own', 'own', false);
    create policy own on storage.objects to authenticated using (true) with check (true);";

fn picture() -> Vec<u8> {
    let image = DynamicImage::from(RgbImage::from_pixel(40, 20, Rgb([200, 0, 0])));
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

#[tokio::test]
async fn supabase_js_gets_images_as_large_as_it_asks() {
    let Some(mut node) = node("render.mjs") else { return };
    let project = Lab::project(SQL).await;
    let image = STANDARD.encode(picture());
    node.envs([
        ("SUPABASE_URL", &project.api_url),
        ("SUPABASE_PUBLISHABLE_KEY", &project.publishable_key),
        ("IMAGE", &image),
    ]);
    let output = tokio::task::spawn_blocking(move || node.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = json!({
        "public": [200, "image/png", [10, 10]],
        "webp": "image/webp",
        "origin": "image/png",
        "own": [10, 5],
        "signed": [40, 5],
        "more": [40, 5],
        "nonsense": 400,
        "nobody": 400,
    });
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_is_no_image_is_refused() {
    let project = Lab::project(SQL).await;
    let put = project.command(Method::POST, "/storage/v1/object/open/a").body("tea");
    assert_eq!(Reply::to(put).await.status, 200);
    let get =
        |query: &str| project.bare(Method::GET, &format!("/storage/v1/render/image/public/open/a{query}"));
    let refused = Reply::to(get("?width=10")).await.json();
    assert_eq!((&refused["statusCode"], &refused["error"]), (&json!("422"), &json!("ImageProcessingError")));
    for query in ["?width=a", "?quality=101", "?resize=stretch", "?format=bmp"] {
        assert_eq!(Reply::to(get(query)).await.refusal(), (400, "InvalidRequest".to_owned()), "{query}");
    }
    let hidden = project.bare(Method::GET, "/storage/v1/render/image/public/own/a");
    assert_eq!(Reply::to(hidden).await.refusal().1, "NoSuchBucket");
}
