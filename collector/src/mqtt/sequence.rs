//! Gaps in the numbers by which gateways count their messages.

use std::collections::HashMap;

/// Streams that are followed at most; more come only from senders that invent names.
const STREAMS_MAX: usize = 10_000;

/// The last number of every stream.
#[derive(Debug, Default)]
pub(crate) struct Sequences {
    last: HashMap<String, (Option<i64>, i64)>,
}

impl Sequences {
    /// How many numbers are missing between the last one and this. A lower number is a repetition;
    /// another boot number begins anew.
    pub(crate) fn observe(&mut self, stream: &str, boot: Option<i64>, seq: i64) -> u64 {
        match self.last.get_mut(stream) {
            Some((last_boot, last)) if *last_boot == boot => {
                let ahead = seq.saturating_sub(*last);
                *last = (*last).max(seq);
                u64::try_from(ahead.saturating_sub(1)).unwrap_or(0)
            }
            Some(known) => {
                *known = (boot, seq);
                0
            }
            None => {
                if self.last.len() < STREAMS_MAX {
                    self.last.insert(stream.to_owned(), (boot, seq));
                }
                0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_counted_and_repetitions_are_not() {
        let mut sequences = Sequences::default();
        let boot = Some(7);
        assert_eq!(sequences.observe("g", boot, 10), 0);
        assert_eq!(sequences.observe("g", boot, 11), 0);
        assert_eq!(sequences.observe("g", boot, 15), 3);
        assert_eq!(sequences.observe("g", boot, 12), 0, "a repetition");
        assert_eq!(sequences.observe("g", boot, 16), 0);
        assert_eq!(sequences.observe("h", boot, 90), 0, "another stream");
        assert_eq!(sequences.observe("g", Some(8), 1), 0, "another boot");
        assert_eq!(sequences.observe("g", Some(8), 3), 1);
        assert_eq!(sequences.observe("g", Some(8), i64::MIN), 0);
        assert_eq!(
            sequences.observe("g", Some(8), i64::MAX),
            i64::MAX.unsigned_abs() - 4
        );
    }
}
