//! The content hash: SHA-256 of the document's canonical form (RFC 8785), so that anyone can check
//! it with a standard library of any language.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Members that say when and as what the document was issued, and nothing of its content.
const OUTSIDE: &[&str] = &["generated_at", "content_sha256"];

/// SHA-256 in hex of the canonical form of a document without [`OUTSIDE`].
pub(crate) fn content_sha256(document: &Value) -> String {
    let mut content = document.clone();
    if let Some(members) = content.as_object_mut() {
        for name in OUTSIDE {
            members.remove(*name);
        }
    }
    sha256(&canonical_text(&content))
}

/// The canonical form of a document (RFC 8785).
pub(crate) fn canonical_text(document: &Value) -> String {
    let mut text = String::new();
    canonical(document, &mut text);
    text
}

/// SHA-256 in hex.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut hex, byte| {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Members sorted by name, no white space, numbers in their shortest plain form.
///
/// The names are ASCII, so their order in bytes is their order in UTF-16. Numbers are whole, or
/// rounded to six decimals, so the exponent that RFC 8785 writes below 1e-6 never occurs.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(b.0));
            text.push('{');
            for (index, (name, value)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(value, text);
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                canonical(item, text);
            }
            text.push(']');
        }
        Value::Number(number) => match number.as_f64() {
            // `Display` of a float is its shortest plain form; whole floats have no `.0`.
            Some(float) if number.is_f64() => text.push_str(&(float + 0.0).to_string()),
            _ => text.push_str(&number.to_string()),
        },
        other => text.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_canonical_form_is_sorted_and_plain() {
        let mut text = String::new();
        canonical(
            &json!({"b": [1, 2.0, 0.000001, -0.0], "a": {"文": "\"\n€"}, "c": null}),
            &mut text,
        );
        assert_eq!(
            text,
            r#"{"a":{"文":"\"\n€"},"b":[1,2,0.000001,0],"c":null}"#
        );
    }

    #[test]
    fn the_hash_is_of_the_content_alone() {
        // sha256 of `{"a":1}`, from another program.
        let hash = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(content_sha256(&json!({"a": 1.0})), hash);
        assert_eq!(
            content_sha256(&json!({"a": 1, "generated_at": "x", "content_sha256": "y"})),
            hash
        );
        assert_ne!(content_sha256(&json!({"a": 2})), hash);
    }
}
