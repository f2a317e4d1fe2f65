//! Bytes of blobs: a day's intervals and prices, and the readings of an outbox row.
//!
//! All begin with a version byte. Numbers are LEB128; signed ones are zigzag first, so small
//! amounts of either sign are short.

use steward_model::{IntervalAmount, IntervalQuality, PriceRun};

const VERSION: u8 = 1;
/// More intervals than any day has; bounds what a damaged blob can ask for.
const INTERVALS_MAX: u64 = 1_000;

/// A reading by the number of its series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RawReading {
    pub(crate) series: i64,
    pub(crate) at_ms: i64,
    pub(crate) value: f64,
    pub(crate) quality: u8,
    /// Whether it was new when it was stored, and not a better copy of what was there.
    pub(crate) is_new: bool,
}

/// Set in the quality byte of a reading that was not new.
const NOT_NEW: u8 = 0x80;

fn put_u64(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn put_i64(bytes: &mut Vec<u8>, number: i64) {
    put_u64(
        bytes,
        number.wrapping_shl(1).cast_unsigned() ^ (number >> 63).cast_unsigned(),
    );
}

fn take_u8(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

fn take_u64(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take_u8(bytes)?;
        let part = u64::from(byte & 0x7f);
        number |= part << shift;
        if byte < 0x80 {
            // The tenth byte holds one bit.
            return (shift < 63 || part <= 1).then_some(number);
        }
    }
    None
}

fn take_i64(bytes: &mut &[u8]) -> Option<i64> {
    let number = take_u64(bytes)?;
    Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
}

/// A day's intervals: count, then for each a byte (0 missing, else quality + 1) and its amount.
pub(crate) fn encode_intervals(intervals: &[Option<IntervalAmount>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 + intervals.len() * 4);
    bytes.push(VERSION);
    put_u64(&mut bytes, intervals.len() as u64);
    for interval in intervals {
        match interval {
            None => bytes.push(0),
            Some(interval) => {
                bytes.push(interval.quality.code() + 1);
                put_i64(&mut bytes, interval.amount_base);
            }
        }
    }
    bytes
}

/// The reverse, into room that is used again; false where the bytes are not ours.
#[must_use]
pub(crate) fn decode_intervals(bytes: &[u8], intervals: &mut Vec<Option<IntervalAmount>>) -> bool {
    intervals.clear();
    read_intervals(bytes, intervals).is_some()
}

fn read_intervals(mut bytes: &[u8], intervals: &mut Vec<Option<IntervalAmount>>) -> Option<()> {
    let bytes = &mut bytes;
    if take_u8(bytes)? != VERSION {
        return None;
    }
    let count = take_u64(bytes).filter(|count| *count <= INTERVALS_MAX)?;
    intervals.resize(usize::try_from(count).ok()?, None);
    for interval in intervals {
        let code = take_u8(bytes)?;
        if code > 0 {
            *interval = Some(IntervalAmount {
                quality: IntervalQuality::from_code(code - 1)?,
                amount_base: take_i64(bytes)?,
            });
        }
    }
    bytes.is_empty().then_some(())
}

/// A day's prices: for each run twice its length, plus one where it has a price, and the price.
/// No bytes where there are no runs.
pub(crate) fn encode_prices(prices: &[PriceRun]) -> Option<Vec<u8>> {
    if prices.is_empty() {
        return None;
    }
    let mut bytes = vec![VERSION];
    for run in prices {
        let length = u64::from(run.intervals) << 1;
        put_u64(&mut bytes, length | u64::from(run.ncny_per_base.is_some()));
        if let Some(price) = run.ncny_per_base {
            put_i64(&mut bytes, price);
        }
    }
    Some(bytes)
}

/// The reverse, into room that is used again; false where the bytes are not ours.
#[must_use]
pub(crate) fn decode_prices(bytes: &[u8], prices: &mut Vec<PriceRun>) -> bool {
    prices.clear();
    bytes.is_empty() || read_prices(bytes, prices).is_some()
}

fn read_prices(mut bytes: &[u8], prices: &mut Vec<PriceRun>) -> Option<()> {
    let bytes = &mut bytes;
    if take_u8(bytes)? != VERSION {
        return None;
    }
    while !bytes.is_empty() {
        let length = take_u64(bytes)?;
        prices.push(PriceRun {
            intervals: u16::try_from(length >> 1).ok()?,
            ncny_per_base: if length & 1 == 0 {
                None
            } else {
                Some(take_i64(bytes)?)
            },
        });
    }
    Some(())
}

/// Appends readings of an outbox row; series and time as differences to the reading before.
#[derive(Debug)]
pub(crate) struct PayloadWriter {
    bytes: Vec<u8>,
    series: i64,
    at_ms: i64,
    readings: u64,
}

impl PayloadWriter {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![VERSION],
            series: 0,
            at_ms: 0,
            readings: 0,
        }
    }

    pub(crate) fn push(&mut self, reading: RawReading) {
        put_i64(&mut self.bytes, reading.series.wrapping_sub(self.series));
        put_i64(&mut self.bytes, reading.at_ms.wrapping_sub(self.at_ms));
        let flag = if reading.is_new { 0 } else { NOT_NEW };
        self.bytes.push(reading.quality | flag);
        self.bytes.extend_from_slice(&reading.value.to_le_bytes());
        (self.series, self.at_ms) = (reading.series, reading.at_ms);
        self.readings += 1;
    }

    /// The blob, unless nothing was pushed.
    pub(crate) fn finish(self) -> Option<Vec<u8>> {
        (self.readings > 0).then_some(self.bytes)
    }
}

/// The readings of an outbox row; `None` where the bytes are not ours.
pub(crate) fn decode_payload(mut bytes: &[u8]) -> Option<Vec<RawReading>> {
    let bytes = &mut bytes;
    if take_u8(bytes)? != VERSION {
        return None;
    }
    let mut readings = Vec::with_capacity(bytes.len() / 12);
    let (mut series, mut at_ms) = (0_i64, 0_i64);
    while !bytes.is_empty() {
        series = series.wrapping_add(take_i64(bytes)?);
        at_ms = at_ms.wrapping_add(take_i64(bytes)?);
        let quality = take_u8(bytes)?;
        let (value, rest) = bytes.split_first_chunk::<8>()?;
        *bytes = rest;
        readings.push(RawReading {
            series,
            at_ms,
            value: f64::from_le_bytes(*value),
            quality: quality & !NOT_NEW,
            is_new: quality & NOT_NEW == 0,
        });
    }
    Some(readings)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interval() -> impl Strategy<Value = Option<IntervalAmount>> {
        proptest::option::of(
            (
                any::<i64>(),
                proptest::sample::select(&IntervalQuality::ALL[..]),
            )
                .prop_map(|(amount_base, quality)| IntervalAmount {
                    amount_base,
                    quality,
                }),
        )
    }

    proptest! {
        #[test]
        fn intervals_come_back(intervals in proptest::collection::vec(interval(), 0..110)) {
            let bytes = encode_intervals(&intervals);
            // Room that has held another day.
            let mut read = vec![None; 7];
            prop_assert!(decode_intervals(&bytes, &mut read));
            prop_assert_eq!(&read, &intervals);
            prop_assert!(!decode_intervals(&bytes[..bytes.len() - 1], &mut read));
        }

        #[test]
        fn prices_come_back(
            runs in proptest::collection::vec((1_u16..200, any::<Option<i64>>()), 0..12),
        ) {
            let prices: Vec<PriceRun> = runs
                .into_iter()
                .map(|(intervals, ncny_per_base)| PriceRun { intervals, ncny_per_base })
                .collect();
            let bytes = encode_prices(&prices).unwrap_or_default();
            prop_assert_eq!(bytes.is_empty(), prices.is_empty());
            let mut read = vec![PriceRun { intervals: 3, ncny_per_base: None }];
            prop_assert!(decode_prices(&bytes, &mut read));
            prop_assert_eq!(read, prices);
        }

        #[test]
        fn readings_come_back(
            readings in proptest::collection::vec(
                (any::<i64>(), any::<i64>(), -1e300_f64..1e300, 0_u8..3, any::<bool>()), 1..60),
        ) {
            let readings: Vec<RawReading> = readings
                .into_iter()
                .map(|(series, at_ms, value, quality, is_new)| {
                    RawReading { series, at_ms, value, quality, is_new }
                })
                .collect();
            let mut writer = PayloadWriter::new();
            readings.iter().for_each(|reading| writer.push(*reading));
            let bytes = writer.finish().unwrap_or_default();
            prop_assert_eq!(decode_payload(&bytes), Some(readings));
        }

        #[test]
        fn foreign_bytes_are_refused_or_read_and_never_a_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = decode_intervals(&bytes, &mut Vec::new());
            let _ = decode_prices(&bytes, &mut Vec::new());
            let _ = decode_payload(&bytes);
        }
    }
}
