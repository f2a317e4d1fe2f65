//! Errors as `application/problem+json` (RFC 9457). Each names what was wrong and what is allowed.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use steward_books::{BooksError, Refusal};
use steward_report::ReportError;
use steward_store::StoreError;
use utoipa::ToSchema;

/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// The most refusals of an answer: whoever has more mixed something up as a whole.
const REFUSALS_MAX: usize = 200;

// Boxed texts keep it small beside a good answer.
/// What went wrong, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// The kind of problem, as a permanent name: `urn:steward:problem:invalid-parameter`, …
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    /// The kind in words.
    #[schema(value_type = String)]
    pub title: Box<str>,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    #[schema(value_type = String)]
    pub detail: Box<str>,
    /// The parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub parameter: Option<Box<str>>,
    /// Its allowed values, or the allowed parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>)]
    pub allowed: Option<Box<[String]>>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub hint: Option<Box<str>>,
    /// Everything that is wrong in what was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Refusal>>)]
    pub refusals: Option<Box<[Refusal]>>,
    /// Seconds after which another attempt makes sense; sent as `Retry-After`.
    #[serde(skip)]
    #[schema(ignore)]
    pub(crate) retry_after_s: Option<u16>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        name: &str,
        title: &str,
        detail: impl Into<Box<str>>,
    ) -> Self {
        Self {
            kind: format!("urn:steward:problem:{name}").into(),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            parameter: None,
            allowed: None,
            hint: None,
            refusals: None,
            retry_after_s: None,
        }
    }

    /// 400: a parameter has a value that it cannot have.
    pub(crate) fn parameter(name: &str, detail: impl Into<Box<str>>) -> Self {
        let mut problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-parameter",
            "A parameter is not valid",
            detail,
        );
        problem.parameter = Some(name.into());
        problem
    }

    /// 404: a named thing is not in the registry.
    pub(crate) fn unknown(parameter: &str, what: &str, id: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing",
            format!("there is no {what} `{id}`"),
        );
        problem.parameter = Some(parameter.into());
        problem.hint = Some(format!("GET /api/v1/{what}s lists them").into());
        problem
    }

    /// 422: what was sent can be read, and cannot stand in the books.
    pub(crate) fn refused(refusals: Vec<Refusal>) -> Self {
        Self::with_refusals(
            StatusCode::UNPROCESSABLE_ENTITY,
            "refused",
            "What was sent is refused",
            refusals,
        )
    }

    /// 409: what was sent is right, but not as things stand.
    pub(crate) fn conflict(refusal: Refusal) -> Self {
        Self::with_refusals(
            StatusCode::CONFLICT,
            "conflict",
            "The state of the books does not allow it",
            vec![refusal],
        )
    }

    fn with_refusals(
        status: StatusCode,
        name: &str,
        title: &str,
        mut refusals: Vec<Refusal>,
    ) -> Self {
        let detail = match refusals.as_slice() {
            [] => title.to_owned(),
            [one] => one.to_string(),
            [first, rest @ ..] => format!("{first}; and {} more", rest.len()),
        };
        refusals.truncate(REFUSALS_MAX);
        Self {
            refusals: Some(refusals.into()),
            ..Self::new(status, name, title, detail)
        }
    }

    /// The same where what is refused stands inside a member of the body; `outside` stands beside it.
    pub(crate) fn within(mut self, member: &str, outside: &[&str]) -> Self {
        for refusal in self.refusals.iter_mut().flat_map(|all| all.iter_mut()) {
            if !outside.contains(&refusal.place.as_str()) {
                refusal.place = format!("{member}.{}", refusal.place);
            }
        }
        self
    }

    /// 404: the books have no such entry.
    pub(crate) fn unknown_in_books(parameter: &str, what: &str, id: &str, list: &str) -> Self {
        let mut problem = Self::unknown(parameter, what, id);
        problem.hint = Some(format!("GET /api/v1/{list} lists them").into());
        problem
    }

    pub(crate) fn allow<T: Into<String>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.allowed = Some(values.into_iter().map(Into::into).collect());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<Box<str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u16) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The problem of a status that some layer answered without words.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("The request failed");
        let name = title.to_lowercase().replace(' ', "-");
        let problem = Self::new(status, &name, title, title);
        match status {
            StatusCode::NOT_FOUND => Self {
                detail: "nothing is at this address".into(),
                ..problem
            }
            .hint("GET /openapi.json lists every address"),
            StatusCode::METHOD_NOT_ALLOWED => Self {
                detail: "this address does not take this method".into(),
                ..problem
            },
            StatusCode::PAYLOAD_TOO_LARGE => Self {
                detail: "the body is larger than 1 MiB".into(),
                ..problem
            },
            _ => problem,
        }
    }

    /// 503: nothing was written, and another attempt may succeed.
    fn books_unavailable(detail: &str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "books-unavailable",
            "The books do not answer",
            detail,
        )
        .hint("nothing was written; try again")
        .retry_after(5)
    }

    /// 501: the store that is read here does not keep it.
    pub(crate) fn not_here(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "not-available-here",
            "It is not kept where this api reads",
            format!("{what} stand in the working store, and this api reads from InfluxDB"),
        )
        .hint("ask the api that runs beside the aggregator")
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The program made a mistake",
            "the answer could not be made; the log says more",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_s = self.retry_after_s;
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if let StoreError::NotPublished(what) = error {
            return Self::not_here(what);
        }
        // The cause may name files and hosts: it belongs into the log, not into the answer.
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the store did not answer the api"
        );
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "store-unavailable",
            "The store does not answer",
            "the store does not answer; the log says why",
        )
        .hint("GET /readyz tells when it does again")
        .retry_after(5)
    }
}

impl From<ReportError> for Problem {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::NotAMonth(_) => Self::parameter("month", error.to_string()),
            ReportError::UnknownInstitution(id) => Self::unknown("institution", "institution", &id),
            ReportError::NotBegun(_) => Self {
                status: StatusCode::NOT_FOUND.as_u16(),
                ..Self::parameter("month", error.to_string())
            },
            ReportError::Store(store) => store.into(),
            ReportError::Render(_) | ReportError::Content(..) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a report was not rendered"
                );
                Self::internal()
            }
        }
    }
}

impl From<BooksError> for Problem {
    fn from(error: BooksError) -> Self {
        match error {
            BooksError::Refused(refusals) => Self::refused(refusals),
            BooksError::NoSuchEvent(seq) => {
                Self::unknown_in_books("seq", "event", &seq.to_string(), "events")
            }
            BooksError::Store(store) => store.into(),
            BooksError::Busy => Self::books_unavailable("another process holds the books"),
            BooksError::Full => Self::books_unavailable("there is no room for the books"),
            other => {
                // The cause may name files: it belongs into the log, not into the answer.
                tracing::error!(
                    error = &other as &dyn std::error::Error,
                    "the books did not answer the api"
                );
                Self::books_unavailable("the books do not answer; the log says why")
            }
        }
    }
}
