//! Our thin HTTP client: write, delete, query.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::json;
use steward_config::InfluxSettings;

use super::InfluxError;
use super::csv::{Parser, Record};
use super::judge::{Answer, retry_after};

/// How much of an answer's text is kept.
const TEXT_BYTES_MAX: usize = 2_048;
/// How much of an answer to a query is read.
const ANSWER_BYTES_MAX: usize = 256 << 20;
/// Name of a bucket or organisation: what is safe between quotes in Flux and in a URL.
const NAME_BYTES_MAX: usize = 64;

/// The unit of the timestamps in a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    Milliseconds,
    Seconds,
}

/// Time limits of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) connect: Duration,
    pub(crate) total: Duration,
}

/// A connection pool to one InfluxDB and one organisation.
#[derive(Clone, Debug)]
pub(crate) struct InfluxClient {
    http: reqwest::Client,
    base: Url,
    org: String,
    /// Marked as sensitive, so that it shows in no log and no `Debug`.
    authorization: HeaderValue,
}

impl InfluxClient {
    pub(crate) fn new(settings: &InfluxSettings, timeouts: Timeouts) -> Result<Self, InfluxError> {
        let base = base_url(&settings.url)?;
        let failed = |error: &dyn std::fmt::Display| InfluxError::Client(error.to_string());
        // The first caller in the process decides; all of ours choose the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            // Where the readings of a site go is told by its settings alone.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| failed(&error))?;
        let mut authorization =
            HeaderValue::from_str(&format!("Token {}", settings.token.expose())).map_err(|_| {
                InfluxError::Client("the token has characters of no header".to_owned())
            })?;
        authorization.set_sensitive(true);
        Ok(Self {
            http,
            base,
            org: safe_name(&settings.org)?,
            authorization,
        })
    }

    pub(crate) fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.http
            .request(method, url)
            .header(AUTHORIZATION, self.authorization.clone())
    }

    pub(crate) fn org(&self) -> &str {
        &self.org
    }

    /// Posts gzipped lines.
    pub(crate) async fn write(&self, bucket: &str, precision: Precision, gzipped: Bytes) -> Answer {
        let precision = match precision {
            Precision::Milliseconds => "ms",
            Precision::Seconds => "s",
        };
        let query = [
            ("org", self.org()),
            ("bucket", bucket),
            ("precision", precision),
        ];
        let request = self
            .request(Method::POST, "/api/v2/write", &query)
            .header("Content-Type", "text/plain; charset=utf-8")
            .header("Content-Encoding", "gzip")
            .body(gzipped);
        answer(request).await
    }

    /// Deletes the points of a measurement with these tags in `[from_s, to_s)`.
    pub(crate) async fn delete(
        &self,
        bucket: &str,
        predicate: &str,
        (from_s, to_s): (i64, i64),
    ) -> Answer {
        // InfluxDB deletes up to and including `stop`.
        let body = json!({
            "start": rfc3339(from_s.saturating_mul(1_000)),
            "stop": rfc3339(to_s.saturating_mul(1_000) - 1),
            "predicate": predicate,
        });
        let query = [("org", self.org()), ("bucket", bucket)];
        let request = self
            .request(Method::POST, "/api/v2/delete", &query)
            .json(&body);
        answer(request).await
    }

    /// Runs Flux and hands out the rows as they arrive.
    pub(crate) async fn query(
        &self,
        flux: &str,
        each: &mut (impl FnMut(Record<'_>) -> Result<(), InfluxError> + Send),
    ) -> Result<(), InfluxError> {
        let body = json!({
            "query": flux,
            "type": "flux",
            "dialect": {"header": true, "annotations": ["datatype"]},
        });
        let request = self
            .request(Method::POST, "/api/v2/query", &[("org", self.org())])
            .header("Accept", "application/csv")
            .json(&body);
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        if !response.status().is_success() {
            return Err(InfluxError::Refused {
                status: response.status().as_u16(),
                text: beginning(response).await,
            });
        }
        let mut parser = Parser::new();
        let mut bytes = 0;
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| unreachable(&error))?
        {
            bytes += piece.len();
            if bytes > ANSWER_BYTES_MAX {
                return Err(InfluxError::TooLarge(ANSWER_BYTES_MAX));
            }
            parser.feed(&piece, each)?;
        }
        parser.finish(each)
    }
}

/// Sends a request whose answer is judged; whatever goes wrong on the way is an answer without a
/// status.
async fn answer(request: RequestBuilder) -> Answer {
    match request.send().await {
        Err(error) => Answer {
            status: None,
            retry_after: None,
            text: unreachable(&error).to_string(),
        },
        Ok(response) => {
            let header = response.headers().get("Retry-After");
            let retry_after = header
                .and_then(|header| header.to_str().ok())
                .and_then(|header| retry_after(header, Utc::now()));
            Answer {
                status: Some(response.status().as_u16()),
                retry_after,
                text: beginning(response).await,
            }
        }
    }
}

/// The beginning of an answer's text, or of the message in it.
pub(crate) async fn beginning(mut response: Response) -> String {
    let mut bytes = Vec::new();
    // A text that breaks off is as good as its beginning.
    while bytes.len() < TEXT_BYTES_MAX
        && let Ok(Some(piece)) = response.chunk().await
    {
        bytes.extend_from_slice(&piece);
    }
    let message = serde_json::from_slice::<serde_json::Value>(&bytes)
        .ok()
        .and_then(|json| Some(json.get("message")?.as_str()?.to_owned()));
    let text = message.unwrap_or_else(|| String::from_utf8_lossy(&bytes).into_owned());
    text.chars()
        .filter(|c| !c.is_control())
        .take(TEXT_BYTES_MAX)
        .collect()
}

/// The innermost cause says what happened; the URL, which may hold a password, stays out.
pub(crate) fn unreachable(error: &reqwest::Error) -> InfluxError {
    if error.is_timeout() {
        return InfluxError::Unreachable("it took too long".to_owned());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    InfluxError::Unreachable(
        cause
            .to_string()
            .replace(error.url().map_or("\0", Url::as_str), "…"),
    )
}

/// Checks the base URL.
pub(crate) fn base_url(url: &str) -> Result<Url, InfluxError> {
    let wrong = |reason| InfluxError::Url {
        url: url.to_owned(),
        reason,
    };
    let parsed = Url::parse(url).map_err(|_| wrong("it cannot be parsed"))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(wrong("it must begin with http:// or https://"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(InfluxError::Url {
            url: "(not shown)".to_owned(),
            reason: "it must not hold a user name or password; the token stands in its own file",
        });
    }
    Ok(parsed)
}

/// Checks the name of a bucket or an organisation, which go into queries as text.
pub(crate) fn safe_name(name: &str) -> Result<String, InfluxError> {
    let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    if !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_safe) {
        Ok(name.to_owned())
    } else {
        Err(InfluxError::Name(
            name.chars().take(NAME_BYTES_MAX).collect(),
        ))
    }
}

/// A time as Flux writes it, within what InfluxDB can hold.
pub(crate) fn rfc3339(at_ms: i64) -> String {
    /// 1677-09-22 and 2262-04-11: nanoseconds in 64 bits.
    const AT_MS_MAX: i64 = 9_223_286_400_000;
    DateTime::from_timestamp_millis(at_ms.clamp(-AT_MS_MAX, AT_MS_MAX))
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}
