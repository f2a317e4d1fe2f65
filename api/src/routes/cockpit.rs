//! The cockpit: static files that stand in the program itself.

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::Problem;

/// What the build made of `api/web`; empty where it could not, see `build.rs`.
#[derive(RustEmbed)]
#[folder = "web/dist/"]
#[allow_missing = true]
struct Files;

/// Shown where no cockpit was built.
const PLACEHOLDER: &str = include_str!("placeholder.html");

/// Files below here carry a hash in their name, so they never change.
const HASHED: &str = "assets/";

pub(crate) async fn cockpit(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let mut response = Problem::of_status(StatusCode::METHOD_NOT_ALLOWED).into_response();
        let allow = header::HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(header::ALLOW, allow);
        return response;
    }
    let path = match uri.path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    // A file of that name may be missing from a cockpit that was built before `build.rs` ran.
    let is_built = !cfg!(cockpit_missing);
    match Files::get(path).filter(|_| is_built) {
        Some(file) => answer(path, &file, &headers),
        None if path == "index.html" => (
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            PLACEHOLDER,
        )
            .into_response(),
        None => Problem::of_status(StatusCode::NOT_FOUND).into_response(),
    }
}

fn answer(path: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
    let hash = file.metadata.sha256_hash();
    let hex = hash
        .iter()
        .take(16)
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let etag = format!("\"{hex}\"");
    let cache = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let common = [
        (header::ETAG, etag.clone()),
        (header::CACHE_CONTROL, cache.to_owned()),
    ];
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| {
        known
            .split(',')
            .any(|known| known.trim().trim_start_matches("W/") == etag)
    }) {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = file.metadata.mimetype().to_owned();
    let kind = if kind.starts_with("text/") {
        format!("{kind}; charset=utf-8")
    } else {
        kind
    };
    (common, [(header::CONTENT_TYPE, kind)], file.data.to_vec()).into_response()
}
