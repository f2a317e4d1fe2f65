//! When a message says it was made.

use chrono::{DateTime, NaiveDateTime, TimeZone};
use steward_config::{TimestampFormat, TimestampSpec};
use steward_model::UtcMs;

use super::pointer::Scalar;

/// The time in `found`, or nothing where it cannot be read.
pub(crate) fn parse(spec: &TimestampSpec, found: &Scalar<'_>) -> Option<UtcMs> {
    let text = match found {
        Scalar::Number(text) => text,
        Scalar::Text(text) => text.trim(),
        Scalar::Null | Scalar::Other(_) => return None,
    };
    match &spec.format {
        TimestampFormat::UnixS => epoch(text, 1_000),
        TimestampFormat::UnixMs => epoch(text, 1),
        TimestampFormat::UnixMsOrRfc3339 if matches!(found, Scalar::Number(_)) => epoch(text, 1),
        TimestampFormat::Rfc3339 | TimestampFormat::UnixMsOrRfc3339 => {
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|time| UtcMs(time.timestamp_millis()))
        }
        TimestampFormat::Pattern(pattern) => {
            // A pattern with an offset of its own does not need the zone.
            if let Ok(time) = DateTime::parse_from_str(text, pattern) {
                return Some(UtcMs(time.timestamp_millis()));
            }
            let local = NaiveDateTime::parse_from_str(text, pattern).ok()?;
            // Where clocks go back an hour comes twice: the first is taken. Where they go forward a
            // local time may not exist: then it is none.
            let time = spec.zone.from_local_datetime(&local).earliest()?;
            Some(UtcMs(time.timestamp_millis()))
        }
    }
}

/// `text` units since 1970, each of `unit_ms` milliseconds.
fn epoch(text: &str, unit_ms: i64) -> Option<UtcMs> {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.checked_mul(unit_ms).map(UtcMs);
    }
    if !super::number::is_decimal(text) {
        return None;
    }
    let ms = (text.parse::<f64>().ok()? * unit_ms as f64).round();
    // Well inside what both i64 and f64 hold exactly.
    (ms.abs() < 9.0e15).then_some(UtcMs(ms as i64))
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn read(format: TimestampFormat, zone: Tz, found: Scalar<'_>) -> Option<i64> {
        let spec = TimestampSpec {
            pointer: "/ts".to_owned(),
            format,
            zone,
        };
        parse(&spec, &found).map(|at| at.0)
    }

    #[test]
    fn every_format() {
        use Scalar::{Number, Text};
        let utc = Tz::UTC;
        let shanghai = Tz::Asia__Shanghai;
        let s = || TimestampFormat::UnixS;
        let ms = || TimestampFormat::UnixMs;
        assert_eq!(
            read(s(), utc, Number("1760000000")),
            Some(1_760_000_000_000)
        );
        assert_eq!(
            read(s(), utc, Number("1760000000.25")),
            Some(1_760_000_000_250)
        );
        assert_eq!(
            read(s(), utc, Text(" 1760000000".into())),
            Some(1_760_000_000_000)
        );
        assert_eq!(
            read(ms(), utc, Number("1760000000123")),
            Some(1_760_000_000_123)
        );
        assert_eq!(read(ms(), utc, Number("1.76e12")), Some(1_760_000_000_000));
        let either = || TimestampFormat::UnixMsOrRfc3339;
        assert_eq!(
            read(either(), utc, Number("1760000000123")),
            Some(1_760_000_000_123)
        );
        let zulu = || Text("2025-10-09T08:53:20Z".into());
        assert_eq!(read(either(), utc, zulu()), Some(1_760_000_000_000));
        let rfc = || TimestampFormat::Rfc3339;
        let text = || Text("2025-10-09T16:53:20.5+08:00".into());
        assert_eq!(read(rfc(), utc, text()), Some(1_760_000_000_500));
        let pattern = |p: &str| TimestampFormat::Pattern(p.to_owned());
        let local = || Text("2025-10-09T16:53:20".into());
        assert_eq!(
            read(pattern("%Y-%m-%dT%H:%M:%S"), shanghai, local()),
            Some(1_760_000_000_000)
        );
        assert_eq!(
            read(pattern("%Y%m%d%H%M%S"), shanghai, Number("20251009165320")),
            Some(1_760_000_000_000)
        );
    }

    #[test]
    fn what_is_no_time_is_none() {
        use Scalar::{Null, Number, Other, Text};
        let utc = Tz::UTC;
        for bad in [
            Number("1e400"),
            Number("99999999999999999999"),
            Text("NaN".into()),
            Text("".into()),
            Null,
            Other("{}"),
        ] {
            assert_eq!(
                read(TimestampFormat::UnixS, utc, bad.clone()),
                None,
                "{bad:?}"
            );
            assert_eq!(read(TimestampFormat::Rfc3339, utc, bad), None);
        }
        // This quarter of an hour does not exist in Berlin.
        let spring = Text("2026-03-29 02:15:00".into());
        let pattern = TimestampFormat::Pattern("%Y-%m-%d %H:%M:%S".to_owned());
        assert_eq!(read(pattern, Tz::Europe__Berlin, spring), None);
    }
}
