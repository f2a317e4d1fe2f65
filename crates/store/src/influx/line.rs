//! Line protocol, and nothing else: text from values.
//!
//! `measurement,tag=value,… field=value,… timestamp`. Tags stand in the order of their names, which
//! saves InfluxDB the sorting. A field keeps one type for ever: numbers are floats, but for the cost
//! in nano-yuan, which needs all its digits.

use std::fmt::Write as _;

/// Appends a tag's value, escaped; what the protocol cannot express (line breaks, a backslash
/// before what would be escaped) becomes `_`.
pub(crate) fn push_tag_value(line: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            ',' | '=' | ' ' => {
                line.push('\\');
                line.push(c);
            }
            '\\' => line.push('_'),
            c if c.is_control() => line.push('_'),
            c => line.push(c),
        }
    }
}

/// Appends `,name=value` unless the value is empty, which the protocol cannot express.
pub(crate) fn push_tag(line: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        line.push(',');
        line.push_str(name);
        line.push('=');
        push_tag_value(line, text);
    }
}

/// Appends a float that reads back as the same float. The caller has proof that it is finite.
pub(crate) fn push_float(line: &mut String, number: f64) {
    let size = number.abs();
    // Writing to a String cannot fail.
    let _ = if size == 0.0 || (1e-5..1e17).contains(&size) {
        write!(line, "{number}")
    } else {
        write!(line, "{number:e}")
    };
}

/// Appends an integer as a float. Whole numbers up to 2^53 are exact in a float.
pub(crate) fn push_whole(line: &mut String, number: i64) {
    let _ = write!(line, "{number}");
}

/// Appends an integer as an integer, every digit of it.
pub(crate) fn push_integer(line: &mut String, number: i64) {
    let _ = write!(line, "{number}i");
}

/// Appends a quoted string; control characters become spaces.
pub(crate) fn push_string(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                line.push('\\');
                line.push(c);
            }
            c if c.is_control() => line.push(' '),
            c => line.push(c),
        }
    }
    line.push('"');
}

/// Appends a decimal number of `base / per` exactly, `per` being a power of ten.
pub(crate) fn push_decimal(line: &mut String, base: i64, per: i64) {
    if base < 0 {
        line.push('-');
    }
    let (size, per) = (base.unsigned_abs(), per.unsigned_abs().max(1));
    let _ = write!(line, "{}", size / per);
    let rest = size % per;
    if rest > 0 {
        let width = per.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        line.push('.');
        line.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    /// Reads a tag's value as InfluxDB does: up to an unescaped delimiter.
    fn read_tag_value(text: &str) -> (String, &str) {
        let mut value = String::new();
        let mut chars = text.char_indices();
        while let Some((index, c)) = chars.next() {
            match c {
                '\\' => match chars.clone().next() {
                    Some((_, escaped @ (',' | '=' | ' '))) => {
                        value.push(escaped);
                        chars.next();
                    }
                    _ => value.push('\\'),
                },
                ',' | '=' | ' ' | '\n' => return (value, &text[index..]),
                c => value.push(c),
            }
        }
        (value, "")
    }

    proptest! {
        #[test]
        fn a_tag_value_reads_back(text in "[^\\\\\\p{Cc}]{1,40}") {
            let mut line = String::new();
            push_tag_value(&mut line, &text);
            line.push_str(",next=1");
            prop_assert_eq!(read_tag_value(&line), (text, ",next=1"));
        }

        #[test]
        fn no_text_breaks_out_of_its_tag(text in any::<String>()) {
            let mut line = String::new();
            push_tag(&mut line, "t", &text);
            line.push_str(" value=1 0");
            prop_assert!(!line.contains('\n'));
            if !text.is_empty() {
                let (_, rest) = read_tag_value(&line[3..]);
                prop_assert_eq!(rest, " value=1 0");
            }
        }

        #[test]
        fn a_float_reads_back_bit_for_bit(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            let mut line = String::new();
            push_float(&mut line, number);
            prop_assert_eq!(line.parse::<f64>().unwrap().to_bits(), bits);
            prop_assert!(line.len() < 30, "{}", line);
        }

        #[test]
        fn a_string_stays_within_its_quotes(text in any::<String>()) {
            let mut line = String::new();
            push_string(&mut line, &text);
            prop_assert!(!line.contains('\n'));
            let inner = &line[1..line.len() - 1];
            let bare = inner.replace("\\\\", "").replace("\\\"", "");
            prop_assert!(!bare.contains('"') && !bare.contains('\\'));
        }

        #[test]
        fn a_decimal_is_the_quotient(base in -(1_i64 << 53)..(1_i64 << 53), zeros in 0_u32..10) {
            let per = 10_i64.pow(zeros);
            let mut line = String::new();
            push_decimal(&mut line, base, per);
            let number: f64 = line.parse().unwrap();
            #[expect(clippy::cast_precision_loss, reason = "both are exact below 2^53")]
            let quotient = base as f64 / per as f64;
            prop_assert_eq!(number, quotient);
        }
    }
}
