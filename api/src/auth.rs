//! Who may ask, how often, and in whose name.
//!
//! A token is 32 random characters or more, so its SHA-256 is enough at rest: there is nothing to
//! guess. Every digest is compared whole, so time tells nothing.
//!
//! Tokens have no roles yet: every valid token may read and write, and what it writes stands in the
//! books under the token's name. Maker and checker are told apart by that name, so two people need
//! two tokens.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use steward_config::ApiSettings;
use steward_model::UtcMs;

use crate::problem::Problem;
use crate::state::App;

/// Requests a second that one token may make for long.
const REQUESTS_PER_S: i64 = 100;

/// Requests that it may make at once.
const BURST_MAX: i64 = 200;

/// On an open door: in whose name the request speaks, as UTF-8, percent-encoded where a client can
/// send nothing else. A token has its own name, beside which this header says nothing.
pub(crate) const USER_HEADER: &str = "x-steward-user";

/// Who speaks on an open door without saying so.
const USER_USUAL: &str = "demo";

/// The longest name.
const USER_CHARS_MAX: usize = 40;

/// Who asks: the name under which a write stands in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Who(pub(crate) Arc<str>);

/// Lets requests in.
pub(crate) struct Doorkeeper {
    /// Names and digests of tokens.
    tokens: Vec<(Arc<str>, [u8; 32])>,
    is_open: bool,
    /// One a token; the last is for those without.
    buckets: Mutex<Vec<Bucket>>,
}

/// Thousandths of a request that are left.
#[derive(Clone, Copy)]
struct Bucket {
    left_milli: i64,
    filled_at: UtcMs,
}

impl Doorkeeper {
    pub(crate) fn new(settings: &ApiSettings, is_loopback: bool) -> Self {
        let tokens: Vec<(Arc<str>, [u8; 32])> = settings
            .tokens_sha256
            .iter()
            .filter_map(|(name, digest)| Some((name.as_str().into(), from_hex(digest)?)))
            .collect();
        let full = Bucket {
            left_milli: BURST_MAX * 1_000,
            filled_at: UtcMs(0),
        };
        let buckets = Mutex::new(vec![full; tokens.len() + 1]);
        Self {
            tokens,
            is_open: settings.open_on_loopback && is_loopback,
            buckets,
        }
    }

    fn admit(&self, method: &Method, headers: &HeaderMap, now: UtcMs) -> Result<Who, Problem> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let known = token.and_then(|token| self.index_of(token));
        self.spend(known.unwrap_or(self.tokens.len()), now)?;
        match known.and_then(|index| self.tokens.get(index)) {
            Some((name, _)) => Ok(Who(name.clone())),
            None if self.is_open && token.is_none() => {
                local_only(headers)?;
                if !method.is_safe() {
                    own_page_only(headers)?;
                }
                named(headers)
            }
            None => Err(unauthorized()),
        }
    }

    fn index_of(&self, token: &str) -> Option<usize> {
        let digest = Sha256::digest(token.as_bytes());
        let mut found = None;
        for (index, (_, known)) in self.tokens.iter().enumerate() {
            let difference = known
                .iter()
                .zip(digest.iter())
                .fold(0, |sum, (a, b)| sum | (a ^ b));
            // Without a branch on single bytes, and without an early end.
            if std::hint::black_box(difference) == 0 {
                found = Some(index);
            }
        }
        found
    }

    fn spend(&self, index: usize, now: UtcMs) -> Result<(), Problem> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get_mut(index) else {
            return Ok(());
        };
        let passed_ms = (now.0 - bucket.filled_at.0).clamp(0, BURST_MAX * 1_000);
        bucket.left_milli = (bucket.left_milli + passed_ms * REQUESTS_PER_S).min(BURST_MAX * 1_000);
        bucket.filled_at = now;
        if bucket.left_milli < 1_000 {
            return Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                format!("more than {REQUESTS_PER_S} requests a second"),
            )
            .retry_after(1));
        }
        bucket.left_milli -= 1_000;
        Ok(())
    }
}

/// Without tokens a page of another site, whose name was pointed at this machine, could ask in the
/// name of the browser's user. It cannot forge the name by which it calls us.
fn local_only(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(host) = headers.get(header::HOST) else {
        return Ok(());
    };
    if is_local(host.to_str().unwrap_or_default()) {
        Ok(())
    } else {
        Err(unauthorized().hint("without a token, use http://127.0.0.1 or http://localhost"))
    }
}

/// A browser lets any page send a form to this machine, but it says from which page.
fn own_page_only(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    match origin.split_once("://") {
        Some((_, host)) if is_local(host) => Ok(()),
        _ => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "foreign-page",
            "A page of another site may not write",
            "the request comes from a page of another site",
        )
        .hint("send a token, or write from the cockpit of this machine")),
    }
}

/// Whether `host`, with or without port, names this machine.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// The name that a request on an open door gives itself.
fn named(headers: &HeaderMap) -> Result<Who, Problem> {
    let Some(value) = headers.get(USER_HEADER) else {
        return Ok(Who(USER_USUAL.into()));
    };
    let name = percent_decoded(value.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
    let name = name.as_deref().map(str::trim).unwrap_or_default();
    let is_name = !name.is_empty()
        && name.chars().count() <= USER_CHARS_MAX
        && name
            .chars()
            .all(|char| char.is_alphanumeric() || char == ' ');
    if is_name {
        return Ok(Who(name.into()));
    }
    let detail = format!("`{USER_HEADER}` is no name of 1 to {USER_CHARS_MAX} characters");
    Err(Problem::parameter(USER_HEADER, detail)
        .hint("use letters, digits, spaces and Chinese characters, as UTF-8 or percent-encoded"))
}

fn percent_decoded(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    Some(decoded)
}

fn unauthorized() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "A token is needed",
        "the request carries no valid token",
    )
    .hint("send `Authorization: Bearer TOKEN`")
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// The layer before everything under `/api/v1`.
pub(crate) async fn admit(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let admitted = app
        .doorkeeper
        .admit(request.method(), request.headers(), app.now());
    match admitted {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Method = Method::GET;
    const POST: Method = Method::POST;

    fn doorkeeper(open: bool, is_loopback: bool) -> Doorkeeper {
        let digest = Sha256::digest(b"right");
        let hex = digest
            .iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let settings = ApiSettings {
            listen: "127.0.0.1:0".parse().unwrap(),
            tokens_sha256: vec![("officer".into(), hex)],
            open_on_loopback: open,
            read_from_influx: false,
        };
        Doorkeeper::new(&settings, is_loopback)
    }

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn only_a_known_token_opens() {
        let door = doorkeeper(false, true);
        let ask =
            |value: &str| door.admit(&GET, &headers(&[(header::AUTHORIZATION, value)]), UtcMs(0));
        assert!(ask("Bearer right").is_ok());
        assert!(ask("bearer right").is_ok());
        for wrong in [
            "Bearer wrong",
            "Bearer ",
            "right",
            "Basic right",
            "Bearer rightx",
        ] {
            assert_eq!(ask(wrong).unwrap_err().status, 401, "{wrong}");
        }
        assert_eq!(
            door.admit(&GET, &HeaderMap::new(), UtcMs(0))
                .unwrap_err()
                .status,
            401
        );
    }

    #[test]
    fn open_means_this_machine_by_a_local_name() {
        let ask = |door: &Doorkeeper, host: &str| {
            door.admit(&GET, &headers(&[(header::HOST, host)]), UtcMs(0))
        };
        let open = doorkeeper(true, true);
        for local in ["127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:8080"] {
            assert!(ask(&open, local).is_ok(), "{local}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "10.0.0.1",
        ] {
            assert_eq!(ask(&open, foreign).unwrap_err().status, 401, "{foreign}");
        }
        assert_eq!(
            ask(&doorkeeper(true, false), "127.0.0.1")
                .unwrap_err()
                .status,
            401
        );
        // A wrong token is never better than none.
        let wrong = headers(&[
            (header::AUTHORIZATION, "Bearer wrong"),
            (header::HOST, "localhost"),
        ]);
        assert_eq!(open.admit(&GET, &wrong, UtcMs(0)).unwrap_err().status, 401);
    }

    #[test]
    fn a_burst_ends_with_429_and_time_heals() {
        let door = doorkeeper(false, true);
        let right = headers(&[(header::AUTHORIZATION, "Bearer right")]);
        for _ in 0..BURST_MAX {
            assert!(door.admit(&GET, &right, UtcMs(1_000_000)).is_ok());
        }
        let refused = door.admit(&GET, &right, UtcMs(1_000_000)).unwrap_err();
        assert_eq!((refused.status, refused.retry_after_s), (429, Some(1)));
        assert!(door.admit(&GET, &right, UtcMs(1_000_010)).is_ok());
        assert_eq!(
            door.admit(&GET, &right, UtcMs(1_000_010))
                .unwrap_err()
                .status,
            429
        );
        assert!(door.admit(&GET, &right, UtcMs(1_001_010)).is_ok());
    }

    fn user(door: &Doorkeeper, headers: &HeaderMap) -> Result<String, u16> {
        let who = door.admit(&POST, headers, UtcMs(0));
        who.map(|who| who.0.to_string())
            .map_err(|problem| problem.status)
    }

    #[test]
    fn a_token_writes_under_its_own_name_and_an_open_door_under_the_one_it_is_told() {
        let user_header = header::HeaderName::from_static(USER_HEADER);
        let token = headers(&[
            (header::AUTHORIZATION, "Bearer right"),
            (user_header.clone(), "somebody else"),
        ]);
        assert_eq!(user(&doorkeeper(false, true), &token), Ok("officer".into()));

        let open = doorkeeper(true, true);
        assert_eq!(user(&open, &HeaderMap::new()), Ok("demo".into()));
        let long = "长".repeat(USER_CHARS_MAX);
        for (sent, name) in [
            ("Zhang San 3", "Zhang San 3"),
            (" Li ", "Li"),
            ("%E6%9D%8E%E5%9B%9B", "李四"),
            ("李四", "李四"),
            (&long, &long),
        ] {
            let mut told = HeaderMap::new();
            let value = header::HeaderValue::from_bytes(sent.as_bytes()).unwrap();
            told.insert(user_header.clone(), value);
            assert_eq!(user(&open, &told), Ok(name.to_owned()), "{sent}");
        }
        for bad in ["", " ", "a/b", "<b>", "%E6%9D", "%zz", "%", &"a".repeat(41)] {
            let told = headers(&[(user_header.clone(), bad)]);
            assert_eq!(user(&open, &told), Err(400), "{bad}");
        }
    }

    #[test]
    fn a_page_of_another_site_cannot_write_on_an_open_door() {
        let open = doorkeeper(true, true);
        let from = |origin: &str| headers(&[(header::ORIGIN, origin)]);
        for own in [
            "http://127.0.0.1:8080",
            "http://localhost:5173",
            "http://[::1]",
        ] {
            assert!(user(&open, &from(own)).is_ok(), "{own}");
        }
        for foreign in [
            "https://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
        ] {
            assert_eq!(user(&open, &from(foreign)), Err(403), "{foreign}");
            assert!(
                open.admit(&GET, &from(foreign), UtcMs(0)).is_ok(),
                "{foreign}"
            );
        }
    }
}
