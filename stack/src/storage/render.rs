//! Images out, made as large as who asks wants them.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequestParts, Query, State, rejection::QueryRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT, ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse as _, Response},
};
use tokio::io::AsyncReadExt as _;

use super::{
    Service,
    download::{Sight, Wish, headers, is_known},
    reply::StorageError,
    request::{Place, Visitor},
    sign::ReadToken,
    transform::Transform,
};

/// As hosted.
const LARGEST_SOURCE: u64 = 25_000_000;
const TRANSFORMATIONS: HeaderName = HeaderName::from_static("x-transformations");

pub(super) async fn authenticated(
    State(service): State<Arc<Service>>,
    place: Place,
    visitor: Visitor,
    wish: Asked,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    service.render(&place, Sight::Visitor(&visitor), wish, &headers).await
}

pub(super) async fn public(
    State(service): State<Arc<Service>>,
    place: Place,
    wish: Asked,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    service.render(&place, Sight::Public, wish, &headers).await
}

/// What is made of it, is said in the token: who holds the address can not ask for more.
pub(super) async fn signed(
    State(service): State<Arc<Service>>,
    place: Place,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Result<Response, StorageError> {
    let token = ReadToken::read(&service.keyring, wish.token.as_deref().unwrap_or_default(), &place)?;
    let transform = Transform::read(token.transformations.as_deref().unwrap_or_default())?;
    let mut response = service.render(&place, Sight::Signed, Asked { wish, transform }, &headers).await?;
    token.expire(response.headers_mut());
    Ok(response)
}

/// What is asked for in the address.
pub(super) struct Asked {
    wish: Wish,
    transform: Transform,
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = StorageError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, StorageError> {
        let unreadable = |error: QueryRejection| {
            StorageError::invalid_request(format!("querystring/{}", error.body_text()))
        };
        let Query(wish) = Query::from_request_parts(parts, state).await.map_err(unreadable)?;
        let Query(transform) = Query::from_request_parts(parts, state).await.map_err(unreadable)?;
        Ok(Self { wish, transform })
    }
}

impl Service {
    async fn render(
        &self,
        place: &Place,
        sight: Sight<'_>,
        Asked { wish, transform }: Asked,
        asked: &HeaderMap,
    ) -> Result<Response, StorageError> {
        let (object, file) = self.open(place, &sight).await?;
        let mut headers = headers(&object, &wish);
        if is_known(asked, &headers) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        let mut bytes = Vec::new();
        file.take(LARGEST_SOURCE + 1).read_to_end(&mut bytes).await?;
        if bytes.len() as u64 > LARGEST_SOURCE {
            return Err(StorageError::image("Source image file is too big"));
        }
        let accepted = asked.get_all(ACCEPT).iter().filter_map(|accepted| accepted.to_str().ok());
        let takes_webp = accepted.into_iter().any(|accepted| accepted.contains("image/webp"));
        if let Ok(said) = HeaderValue::try_from(transform.said()) {
            headers.insert(TRANSFORMATIONS, said);
        }
        let rendered = tokio::task::spawn_blocking(move || transform.apply(&bytes, takes_webp))
            .await
            .map_err(|_| StorageError::image("Invalid source image"))??;
        headers.remove(ACCEPT_RANGES);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(rendered.mime));
        headers.insert(CONTENT_LENGTH, rendered.bytes.len().into());
        Ok((headers, Body::from(rendered.bytes)).into_response())
    }
}
