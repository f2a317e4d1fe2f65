//! The readings of one meter in the order of their times, each instant once.

use steward_ledger::Raw;

use crate::parquet::{Parted, Reading};

/// Readings within an hour are compared with each other, hours are counted.
const BUCKET_MS: i64 = 3_600_000;

/// Puts the readings of a meter into `raws`. Of two at one instant the one that came first stays.
///
/// They come nearly in order, in runs of two threads. So they are dealt to hours by counting, which
/// touches each twice, and only hours that are not in order are sorted. `counts` is room that is
/// used again.
pub(crate) fn in_order(
    parted: &Parted,
    meter: usize,
    counts: &mut Vec<usize>,
    raws: &mut Vec<Raw>,
) {
    raws.clear();
    let all = || {
        let blocks = parted.parts.iter().filter_map(move |part| part.get(meter));
        blocks.flat_map(|blocks| blocks.slices())
    };
    let times = || all().flatten().map(|(at_ms, _)| *at_ms);
    let (Some(first_ms), Some(last_ms)) = (times().min(), times().max()) else {
        return;
    };
    let bucket = |at_ms: i64| usize::try_from((at_ms - first_ms) / BUCKET_MS).unwrap_or(0);
    counts.clear();
    counts.resize(bucket(last_ms) + 2, 0);
    for slice in all() {
        for (at_ms, _) in slice {
            counts[bucket(*at_ms) + 1] += 1;
        }
    }
    for index in 1..counts.len() {
        counts[index] += counts[index - 1];
    }
    let nothing = Raw {
        at_ms: 0,
        value: 0.0,
        manual: false,
    };
    raws.resize(counts[counts.len() - 1], nothing);
    for slice in all() {
        for &(at_ms, value) in slice as &[Reading] {
            let place = &mut counts[bucket(at_ms)];
            raws[*place] = Raw {
                at_ms,
                value,
                manual: false,
            };
            *place += 1;
        }
    }
    // Every count now stands at the end of its hour.
    let mut from = 0;
    for &to in counts.iter().take(counts.len() - 1) {
        let hour = &mut raws[from..to];
        if !hour.is_sorted_by_key(|raw| raw.at_ms) {
            hour.sort_by_key(|raw| raw.at_ms);
        }
        from = to;
    }
    raws.dedup_by_key(|raw| raw.at_ms);
}
