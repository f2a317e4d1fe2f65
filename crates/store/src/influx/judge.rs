//! What an answer to a write means. The loop that acts on it knows no status codes.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The longest that a `Retry-After` is obeyed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// An answer to a write; `status` is missing where there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) text: String,
}

/// What to do after one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// InfluxDB has it.
    Stored,
    /// Some lines are refused for good: halve until they stand alone. `dropped` is how many the
    /// server says it refused, where it stored the rest.
    Halve {
        reason: String,
        dropped: Option<usize>,
    },
    /// Stored or not, nobody knows: the same bytes again, not before this.
    Wait { at_least: Duration, reason: String },
    /// Nothing is wrong with the data: keep it, stop this route, call a person.
    Misconfigured(String),
}

pub(crate) fn judge(answer: &Answer) -> Verdict {
    let Some(status) = answer.status else {
        return Verdict::Wait {
            at_least: Duration::ZERO,
            reason: answer.text.clone(),
        };
    };
    let said = |what: &str| {
        if answer.text.is_empty() {
            format!("{what} ({status})")
        } else {
            format!("{what} ({status}): {}", answer.text)
        }
    };
    match status {
        200..=299 => Verdict::Stored,
        // 400 refuses the whole batch for one malformed line, 422 stores the rest, 413 is too large
        // a body: halving serves all three, because lines that are sent twice are the same points.
        400 => Verdict::Halve {
            reason: said("a malformed line"),
            dropped: None,
        },
        413 => Verdict::Halve {
            reason: said("too large"),
            dropped: None,
        },
        422 => Verdict::Halve {
            reason: said("a refused line"),
            dropped: dropped(&answer.text),
        },
        408 | 425 | 429 | 300..=399 | 500.. => Verdict::Wait {
            at_least: answer.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX),
            reason: said("InfluxDB is not ready"),
        },
        401 => Verdict::Misconfigured(said("InfluxDB does not accept the token")),
        403 => Verdict::Misconfigured(said("the token may not write")),
        404 => Verdict::Misconfigured(said("there is no such organisation or bucket")),
        _ => Verdict::Misconfigured(said("whoever answers is not InfluxDB as we know it")),
    }
}

/// The count behind the last `dropped=`.
fn dropped(text: &str) -> Option<usize> {
    let (_, behind) = text.rsplit_once("dropped=")?;
    let end = behind
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(behind.len());
    behind[..end].parse().ok()
}

/// `Retry-After` as seconds or as a date.
pub(crate) fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(header).ok()?;
    Some((at.with_timezone(&Utc) - now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn answer(status: u16, text: &str, retry_after_s: Option<u64>) -> Answer {
        Answer {
            status: Some(status),
            retry_after: retry_after_s.map(Duration::from_secs),
            text: text.to_owned(),
        }
    }

    #[test]
    fn every_status_has_one_verdict() {
        let kind = |status| match judge(&answer(status, "", None)) {
            Verdict::Stored => "stored",
            Verdict::Halve { .. } => "halve",
            Verdict::Wait { .. } => "wait",
            Verdict::Misconfigured(_) => "misconfigured",
        };
        for (status, verdict) in [
            (204, "stored"),
            (400, "halve"),
            (401, "misconfigured"),
            (403, "misconfigured"),
            (404, "misconfigured"),
            (405, "misconfigured"),
            (408, "wait"),
            (413, "halve"),
            (422, "halve"),
            (429, "wait"),
            (301, "wait"),
            (500, "wait"),
            (502, "wait"),
            (503, "wait"),
            (504, "wait"),
        ] {
            assert_eq!(kind(status), verdict, "{status}");
        }
    }

    #[test]
    fn no_answer_means_the_same_bytes_again() {
        let answer = Answer {
            status: None,
            retry_after: None,
            text: "connection reset".to_owned(),
        };
        assert!(matches!(judge(&answer), Verdict::Wait { .. }));
    }

    #[test]
    fn retry_after_is_obeyed_up_to_ten_minutes() {
        let wait = |seconds| match judge(&answer(503, "", Some(seconds))) {
            Verdict::Wait { at_least, .. } => at_least,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(7), Duration::from_secs(7));
        assert_eq!(wait(86_400), RETRY_AFTER_MAX);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = DateTime::parse_from_rfc3339("2026-10-01T08:00:00Z").unwrap();
        let parse = |text| retry_after(text, now.with_timezone(&Utc));
        assert_eq!(parse(" 3 "), Some(Duration::from_secs(3)));
        assert_eq!(
            parse("Thu, 01 Oct 2026 08:00:20 GMT"),
            Some(Duration::from_secs(20))
        );
        assert_eq!(parse("Thu, 01 Oct 2026 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(parse("soon"), None);
    }

    #[test]
    fn the_count_of_dropped_points_is_read() {
        assert_eq!(dropped("partial write: retention dropped=3"), Some(3));
        assert_eq!(dropped(r#"{"message":"x dropped=12"}"#), Some(12));
        assert_eq!(dropped("nothing"), None);
        assert_eq!(dropped("dropped="), None);
    }
}
