//! The chain of hashes: each event's hash covers the event and the hash before it.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// What stands before the first event.
pub(crate) const BEGIN: Hash = [0; 32];

/// The content of a row, as its hash covers it. Every part is preceded by its length, so that no
/// part can be moved into its neighbour.
pub(crate) struct Row<'a> {
    pub(crate) seq: u64,
    pub(crate) entered_at: i64,
    pub(crate) by: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) event: &'a str,
}

impl Row<'_> {
    /// The hash of this row after `before`.
    pub(crate) fn hash(&self, before: &Hash) -> Hash {
        let mut digest = Sha256::new();
        digest.update(before);
        digest.update(self.seq.to_be_bytes());
        digest.update(self.entered_at.to_be_bytes());
        for text in [self.by, self.reason, self.event] {
            // A length fits 64 bits on every machine that Rust runs on.
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text.as_bytes());
        }
        digest.finalize().into()
    }
}

/// SHA-256 of a text in hex: what a close proposal says of its content.
pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()).into())
}

pub(crate) fn hex(hash: &Hash) -> String {
    hash.iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row<'static> = Row {
        seq: 1,
        entered_at: 2,
        by: "wang",
        reason: "why",
        event: "{}",
    };

    #[test]
    fn every_part_of_a_row_changes_its_hash() {
        let hash = ROW.hash(&BEGIN);
        let others = [
            Row { seq: 2, ..ROW }.hash(&BEGIN),
            Row {
                entered_at: 3,
                ..ROW
            }
            .hash(&BEGIN),
            Row { by: "li", ..ROW }.hash(&BEGIN),
            Row {
                reason: "what",
                ..ROW
            }
            .hash(&BEGIN),
            Row {
                event: "{ }",
                ..ROW
            }
            .hash(&BEGIN),
            // The same letters, otherwise divided.
            Row {
                by: "wangw",
                reason: "hy",
                ..ROW
            }
            .hash(&BEGIN),
            ROW.hash(&hash),
        ];
        for (index, other) in others.iter().enumerate() {
            assert_ne!(*other, hash, "{index}");
        }
    }

    #[test]
    fn the_form_of_a_row_is_the_same_in_every_version() {
        // From another program: SHA-256 of 32 zeros, 1 and 2 in 8 bytes each, and the three texts
        // with their lengths in 8 bytes each.
        let expected = "80c41ed27738e38a1e6c20c3c5c68a201ba5b78a32623bce5f8b3e7654d66e3c";
        assert_eq!(hex(&ROW.hash(&BEGIN)), expected);
        assert_eq!(
            sha256_hex("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
