//! The JSON body of a write, read member by member, so that one answer names everything that is
//! wrong with it and where it stands.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use steward_books::Refusal;
use steward_model::UtcMs;
use steward_report::Month;

use crate::problem::Problem;

/// The media type of what is written.
pub(crate) const JSON: &str = "application/json";

/// Longer reasons are documents, which belong elsewhere.
pub(crate) const REASON_CHARS_MAX: usize = 500;

/// Longer texts are no names and numbers of ours.
pub(crate) const TEXT_CHARS_MAX: usize = 128;

/// How much of a wrong member's name is repeated.
const NAME_CHARS_MAX: usize = 64;

/// The latest time that a store and a browser can hold: the end of the year 9999.
const TIME_MS_MAX: i64 = 253_402_300_799_999;

/// The media type of a body, without parameters, in small letters.
pub(crate) fn media_type(headers: &HeaderMap) -> String {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next());
    kind.unwrap_or_default().trim().to_ascii_lowercase()
}

/// Status 415. Asking for a media type of its own also keeps forms of foreign pages out: a browser
/// does not send these without asking first.
pub(crate) fn wrong_media_type(allowed: &[&str]) -> Problem {
    let mut problem = Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported-media-type",
        "The body has a form that is not read here",
        "the header `content-type` names no form that this address reads",
    );
    problem.parameter = Some("content-type".into());
    problem.allow(allowed.iter().copied())
}

/// The members of a body that is a JSON object.
pub(crate) fn object(headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, Problem> {
    if media_type(headers) != JSON {
        return Err(wrong_media_type(&[JSON]));
    }
    let malformed = |place: String, value: String| {
        let refusal = Refusal::new(place, value, "a JSON object")
            .hint("GET /openapi.json tells the form of the body");
        let mut problem = Problem::refused(vec![refusal]);
        problem.status = StatusCode::BAD_REQUEST.as_u16();
        problem.kind = "urn:steward:problem:malformed-body".into();
        problem.title = "The body cannot be read".into();
        problem
    };
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => Err(malformed("body".into(), other.to_string())),
        Err(error) => {
            let place = format!("line {}, column {}", error.line(), error.column());
            Err(malformed(place, error.to_string()))
        }
    }
}

/// The members of an object, taken one by one.
pub(crate) struct Fields<'a> {
    members: &'a Map<String, Value>,
    /// What stands before a member's name: nothing, or `event.`
    above: String,
    known: Vec<&'static str>,
    refused: Vec<Refusal>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(members: &'a Map<String, Value>) -> Self {
        Self {
            members,
            above: String::new(),
            known: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// The answer, if nothing was refused and nothing is left that nobody asked for.
    pub(crate) fn finish<T>(mut self, made: Option<T>) -> Result<T, Problem> {
        self.refuse_unknown();
        match made {
            Some(made) if self.refused.is_empty() => Ok(made),
            _ => Err(Problem::refused(self.refused)),
        }
    }

    fn refuse_unknown(&mut self) {
        let known = self.known.join("`, `");
        for (name, value) in self.members {
            if !self.known.contains(&name.as_str()) {
                let name: String = name.chars().take(NAME_CHARS_MAX).collect();
                let place = format!("{}{name}", self.above);
                self.refused.push(
                    Refusal::new(place, value, "no such member")
                        .hint(format!("members are `{known}`")),
                );
            }
        }
    }

    fn refuse(&mut self, name: &str, value: &str, expected: &str, hint: &str) {
        let place = format!("{}{name}", self.above);
        self.refused
            .push(Refusal::new(place, value, expected).hint(hint));
    }

    /// A member that need not be there; null is absence.
    fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A member that may be absent, read by `read`.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        self.take(name)?;
        self.known.pop();
        read(self, name)
    }

    /// A member that `read` takes, or a refusal that says what it would take.
    fn read<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        hint: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let Some(value) = self.take(name) else {
            self.refuse(name, "nothing", expected, hint);
            return None;
        };
        let made = read(value);
        if made.is_none() {
            self.refuse(name, &value.to_string(), expected, hint);
        }
        made
    }

    /// Text with something in it, without control characters.
    pub(crate) fn text(&mut self, name: &'static str, chars_max: usize) -> Option<String> {
        let expected = format!("text of 1 to {chars_max} characters");
        self.read(name, &expected, "write it in one line", |value| {
            let text = value.as_str()?;
            let is_text = !text.trim().is_empty()
                && text.chars().count() <= chars_max
                && !text.chars().any(char::is_control);
            is_text.then(|| text.trim().to_owned())
        })
    }

    /// Why something is written; every write has a reason.
    pub(crate) fn reason(&mut self) -> Option<String> {
        self.text("reason", REASON_CHARS_MAX)
    }

    /// An id of the form of ids, or another text that `T` takes.
    pub(crate) fn id<T: std::str::FromStr>(&mut self, name: &'static str) -> Option<T> {
        let expected = "1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit";
        let hint = "GET /api/v1/points and GET /api/v1/meters list ids";
        self.read(name, expected, hint, |value| value.as_str()?.parse().ok())
    }

    /// One of some words.
    pub(crate) fn word<T>(
        &mut self,
        name: &'static str,
        allowed: &[&str],
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let expected = format!("one of `{}`", allowed.join("`, `"));
        self.read(name, &expected, "use one of these words", |value| {
            read(value.as_str()?)
        })
    }

    /// An instant.
    pub(crate) fn time(&mut self, name: &'static str) -> Option<UtcMs> {
        let expected = "an RFC 3339 time with offset, from 1970 to 9999";
        let hint = "such as 2026-10-01T08:00:00+08:00";
        self.read(name, expected, hint, |value| time(value.as_str()?))
    }

    /// A local date.
    pub(crate) fn date(&mut self, name: &'static str) -> Option<NaiveDate> {
        let hint = "such as 2026-10-01";
        self.read(name, "a date yyyy-mm-dd from 1970 on", hint, |value| {
            date(value.as_str()?)
        })
    }

    /// A local month.
    pub(crate) fn month(&mut self, name: &'static str) -> Option<Month> {
        self.read(name, "a month yyyy-mm", "such as 2026-10", |value| {
            value.as_str()?.parse().ok()
        })
    }

    /// A register: a finite number.
    pub(crate) fn number(&mut self, name: &'static str) -> Option<f64> {
        let hint = "as the register shows it, in the unit of the quantity, before ratios";
        self.read(name, "a finite number", hint, |value| {
            value.as_f64().filter(|number| number.is_finite())
        })
    }

    /// A decimal, as text so that it stays exact.
    pub(crate) fn decimal(&mut self, name: &'static str) -> Option<Decimal> {
        let expected = "a decimal as text, at most 12 digits before and 6 after the point";
        self.read(name, expected, "such as \"1234.56\"", |value| {
            decimal(value.as_str()?)
        })
    }

    /// Yes or no.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(
            name,
            "true or false",
            "leave it out for false",
            Value::as_bool,
        )
    }

    /// A SHA-256 in small hexadecimal letters.
    pub(crate) fn sha256(&mut self, name: &'static str) -> Option<String> {
        let hint = "as the proposal shows it";
        self.read(name, "64 of 0-9 and a-f", hint, |value| {
            let text = value.as_str()?;
            let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            (text.len() == 64 && text.bytes().all(is_hex)).then(|| text.to_owned())
        })
    }

    /// A member that is a list of objects, each read by `read`; nothing is made of a list in which
    /// one of them is refused.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        items_max: usize,
        mut read: impl FnMut(&mut Fields<'a>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let expected = format!("a list of 1 to {items_max} JSON objects");
        let hint = "GET /openapi.json tells its form";
        let items = self.read(name, &expected, hint, |value| {
            let items = value.as_array()?;
            let objects: Option<Vec<_>> = items.iter().map(Value::as_object).collect();
            objects.filter(|objects| (1..=items_max).contains(&objects.len()))
        })?;
        let mut made = Vec::with_capacity(items.len());
        let refused_before = self.refused.len();
        for (index, members) in items.into_iter().enumerate() {
            let mut inner = Fields::of(members);
            inner.above = format!("{}{name}[{index}].", self.above);
            made.extend(read(&mut inner));
            inner.refuse_unknown();
            self.refused.append(&mut inner.refused);
        }
        (self.refused.len() == refused_before).then_some(made)
    }

    /// A member that is an object itself, read by `read`; its refusals stand here too.
    pub(crate) fn nested<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Fields<'a>) -> Option<T>,
    ) -> Option<T> {
        let hint = "GET /openapi.json tells its form";
        let members = self.read(name, "a JSON object", hint, Value::as_object)?;
        let mut inner = Fields::of(members);
        inner.above = format!("{}{name}.", self.above);
        let made = read(&mut inner);
        // What is known of a thing without a kind is not known.
        if made.is_some() || inner.refused.is_empty() || inner.known.len() > 1 {
            inner.refuse_unknown();
        }
        self.refused.append(&mut inner.refused);
        made
    }
}

/// An instant as people write it.
pub(crate) fn time(text: &str) -> Option<UtcMs> {
    let at = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
    (0..=TIME_MS_MAX).contains(&at).then_some(UtcMs(at))
}

/// A date as people write it.
pub(crate) fn date(text: &str) -> Option<NaiveDate> {
    let is_form = text.len() == 10 && text.is_ascii();
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (is_form && chrono::Datelike::year(&date) >= 1970).then_some(date)
}

/// A decimal as people write it: bounded, and without exponent.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |part: &str, max: usize| {
        !part.is_empty() && part.len() <= max && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (is_number(whole, 12) && is_number(fraction, 6))
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn body(text: &'static str) -> Result<Map<String, Value>, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            "application/json; charset=utf-8".parse().unwrap(),
        );
        object(&headers, &Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn everything_wrong_is_named_at_once_with_its_place() {
        let members = body(r#"{"reason": " ", "event": {"at": "noon", "value": "1", "x": []}}"#);
        let members = members.unwrap();
        let mut fields = Fields::of(&members);
        fields.reason();
        fields.nested("event", |event| {
            event.time("at");
            event.number("value");
            event.id::<steward_model::MeterId>("meter")
        });
        let problem = fields.finish(Some(())).unwrap_err();
        let refusals = problem.refusals.unwrap();
        let places: Vec<&str> = refusals.iter().map(|one| one.place.as_str()).collect();
        assert_eq!(problem.status, 422);
        assert_eq!(
            places,
            [
                "reason",
                "event.at",
                "event.value",
                "event.meter",
                "event.x"
            ]
        );
        assert_eq!(refusals[1].value, "\"noon\"");
        assert_eq!(refusals[3].value, "nothing");
    }

    #[test]
    fn absence_is_allowed_only_where_it_is_said() {
        let members = body(r#"{"a": null, "b": "2026-10-01"}"#).unwrap();
        let mut fields = Fields::of(&members);
        assert_eq!(fields.optional("a", Fields::date), None);
        assert!(fields.optional("b", Fields::date).is_some());
        assert_eq!(fields.optional("c", Fields::date), None);
        assert!(fields.finish(Some(())).is_ok());
        let mut fields = Fields::of(&members);
        fields.date("a");
        assert_eq!(fields.finish::<()>(None).unwrap_err().status, 422);
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        for (text, place) in [
            ("", "line 1, column 0"),
            ("[1", "line 1, column 2"),
            ("[1]", "body"),
        ] {
            let problem = body(text).unwrap_err();
            assert_eq!(problem.status, 400);
            assert_eq!(problem.refusals.unwrap()[0].place, place, "{text}");
        }
        let plain = object(&HeaderMap::new(), &Bytes::from_static(b"{}"));
        assert_eq!(plain.unwrap_err().status, 415);
    }

    #[test]
    fn decimals_dates_and_times_are_bounded() {
        assert_eq!(decimal("-12.50").unwrap().to_string(), "-12.50");
        for bad in [
            "",
            ".5",
            "1.",
            "1e3",
            "+1",
            "--1",
            "1234567890123",
            "0.1234567",
            "１",
        ] {
            assert_eq!(decimal(bad), None, "{bad}");
        }
        for bad in ["2026-1-1", "1969-12-31", "2026-02-30", "+12026-01-01"] {
            assert_eq!(date(bad), None, "{bad}");
        }
        assert_eq!(
            time("2026-10-01T08:00:00+08:00"),
            Some(UtcMs(1_790_812_800_000))
        );
        for bad in ["2026-10-01T08:00:00", "1969-10-01T08:00:00Z", "2026-10-01"] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }
}
