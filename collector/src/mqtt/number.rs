//! Numbers in payloads: JSON numbers, and texts that hold one.

use steward_journal::Reason;
use steward_model::Value;

use super::pointer::Scalar;

/// Whether `text` is a plain decimal number: no `nan`, `inf`, hexadecimal or group separators.
pub(crate) fn is_decimal(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
}

/// The number in `found`, times `factor`.
pub(crate) fn value(found: &Scalar<'_>, factor: f64) -> Result<Value, (Reason, String)> {
    let text = match found {
        Scalar::Number(text) => text,
        Scalar::Text(text) => text.trim(),
        Scalar::Null => return Err((Reason::NotANumber, "null".to_owned())),
        Scalar::Other(text) => return Err((Reason::NotANumber, shorten(text))),
    };
    let not_a_number = || {
        (
            Reason::NotANumber,
            format!("`{}` is no number", shorten(text)),
        )
    };
    if !is_decimal(text) {
        return Err(not_a_number());
    }
    let number: f64 = text.parse().map_err(|_| not_a_number())?;
    let out_of_range = || {
        (
            Reason::OutOfRange,
            format!("{} is too large", shorten(text)),
        )
    };
    if !number.is_finite() || beyond_exact(text, number) {
        return Err(out_of_range());
    }
    Value::new(number * factor).map_err(|_| out_of_range())
}

/// An integer from 2^53 on, where an `f64` no longer holds every one exactly.
fn beyond_exact(text: &str, number: f64) -> bool {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    number.abs() >= EXACT_MAX
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+'))
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 40 {
        text.to_owned()
    } else {
        text.chars().take(40).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_that_are_numbers() {
        let read = |found: Scalar<'_>, factor| value(&found, factor).map(Value::get);
        assert_eq!(read(Scalar::Number("12.5"), 1_000.0), Ok(12_500.0));
        assert_eq!(read(Scalar::Number("-0"), 1.0), Ok(0.0));
        assert_eq!(read(Scalar::Text(" 12.5 ".into()), 1.0), Ok(12.5));
        assert_eq!(read(Scalar::Text("1e3".into()), 1.0), Ok(1_000.0));
        let reason = |found: Scalar<'_>| value(&found, 1.0).err().map(|(reason, _)| reason);
        for text in [
            "NaN",
            "inf",
            "-Infinity",
            "0x10",
            "1,234.5",
            "",
            "-",
            "12 kWh",
            "１２",
        ] {
            assert_eq!(
                reason(Scalar::Text(text.into())),
                Some(Reason::NotANumber),
                "{text}"
            );
        }
        assert_eq!(reason(Scalar::Null), Some(Reason::NotANumber));
        assert_eq!(reason(Scalar::Other("true")), Some(Reason::NotANumber));
        assert_eq!(reason(Scalar::Number("1e999")), Some(Reason::OutOfRange));
        assert_eq!(
            reason(Scalar::Number("9007199254740993")),
            Some(Reason::OutOfRange)
        );
        assert_eq!(
            value(&Scalar::Number("1e308"), 1e10)
                .err()
                .map(|(reason, _)| reason),
            Some(Reason::OutOfRange)
        );
    }
}
