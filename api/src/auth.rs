//! Who may ask, and how often.
//!
//! A token is 32 random characters or more, so its SHA-256 is enough at rest: there is nothing to
//! guess. Every digest is compared whole, so time tells nothing.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
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

/// Lets requests in.
pub(crate) struct Doorkeeper {
    digests: Vec<[u8; 32]>,
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
        let digests: Vec<[u8; 32]> = settings
            .tokens_sha256
            .iter()
            .filter_map(|(_, digest)| from_hex(digest))
            .collect();
        let full = Bucket {
            left_milli: BURST_MAX * 1_000,
            filled_at: UtcMs(0),
        };
        let buckets = Mutex::new(vec![full; digests.len() + 1]);
        Self {
            digests,
            is_open: settings.open_on_loopback && is_loopback,
            buckets,
        }
    }

    fn admit(&self, headers: &HeaderMap, now: UtcMs) -> Result<(), Problem> {
        let token = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let known = token.and_then(|token| self.index_of(token));
        self.spend(known.unwrap_or(self.digests.len()), now)?;
        match known {
            Some(_) => Ok(()),
            None if self.is_open && token.is_none() => local_only(headers),
            None => Err(unauthorized()),
        }
    }

    fn index_of(&self, token: &str) -> Option<usize> {
        let digest = Sha256::digest(token.as_bytes());
        let mut found = None;
        for (index, known) in self.digests.iter().enumerate() {
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
    let host = host.to_str().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_local = name.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if is_local {
        Ok(())
    } else {
        Err(unauthorized().hint("without a token, use http://127.0.0.1 or http://localhost"))
    }
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
pub(crate) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match app.doorkeeper.admit(request.headers(), app.now()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let ask = |value: &str| door.admit(&headers(&[(header::AUTHORIZATION, value)]), UtcMs(0));
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
            door.admit(&HeaderMap::new(), UtcMs(0)).unwrap_err().status,
            401
        );
    }

    #[test]
    fn open_means_this_machine_by_a_local_name() {
        let ask =
            |door: &Doorkeeper, host: &str| door.admit(&headers(&[(header::HOST, host)]), UtcMs(0));
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
        assert_eq!(open.admit(&wrong, UtcMs(0)).unwrap_err().status, 401);
    }

    #[test]
    fn a_burst_ends_with_429_and_time_heals() {
        let door = doorkeeper(false, true);
        let right = headers(&[(header::AUTHORIZATION, "Bearer right")]);
        for _ in 0..BURST_MAX {
            assert!(door.admit(&right, UtcMs(1_000_000)).is_ok());
        }
        let refused = door.admit(&right, UtcMs(1_000_000)).unwrap_err();
        assert_eq!((refused.status, refused.retry_after_s), (429, Some(1)));
        assert!(door.admit(&right, UtcMs(1_000_010)).is_ok());
        assert_eq!(
            door.admit(&right, UtcMs(1_000_010)).unwrap_err().status,
            429
        );
        assert!(door.admit(&right, UtcMs(1_001_010)).is_ok());
    }
}
