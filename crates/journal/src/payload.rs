//! The bytes of a batch's readings: a version byte, then postcard. Readings that follow each other
//! and come from the same meter stand in one group; quantities and qualities are their codes on
//! disk; times are differences. The order of the readings is kept.

use serde::{Deserialize, Serialize};
use steward_model::{MeterId, Quantity, Reading, ReadingQuality, UtcMs, Value};

/// The only version so far.
const VERSION: u8 = 1;

/// Why bytes are no payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// There is not even a version.
    #[error("the payload is empty")]
    Empty,
    /// Written by a newer program.
    #[error("the payload has version {0}, this program knows {VERSION}")]
    Version(u8),
    /// The structure does not hold.
    #[error("the payload's structure is broken")]
    Structure,
    /// The structure holds, but a meter, quantity, quality or value in it is none.
    #[error("the payload holds something that is no {0}")]
    Content(&'static str),
}

/// Readings of one meter: (quantity, quality, milliseconds since the reading before, value).
#[derive(Serialize, Deserialize)]
struct Group<'a> {
    #[serde(borrow)]
    meter: &'a str,
    readings: Vec<(u8, u8, i64, f64)>,
}

/// The bytes of `readings`. The first time is a difference to `received_at`.
pub fn encode(received_at: UtcMs, readings: &[Reading]) -> Vec<u8> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut before = received_at.0;
    for reading in readings {
        let meter = reading.meter.as_str();
        // Wrapping on both sides is exact for every pair of instants.
        let packed = (
            reading.quantity.code(),
            reading.quality.code(),
            reading.at.0.wrapping_sub(before),
            reading.value.get(),
        );
        before = reading.at.0;
        match groups.last_mut() {
            Some(group) if group.meter == meter => group.readings.push(packed),
            _ => {
                let mut packed_readings = Vec::with_capacity(16);
                packed_readings.push(packed);
                groups.push(Group {
                    meter,
                    readings: packed_readings,
                });
            }
        }
    }
    let bytes = vec![VERSION];
    // Serialising these types into memory has no way to fail; were one added, the row would be
    // refused by its reader as damaged, and the laws below would show it.
    postcard::to_extend(&groups, bytes).unwrap_or_default()
}

/// The readings of `bytes`. Never panics, whatever the bytes are.
pub fn decode(received_at: UtcMs, bytes: &[u8]) -> Result<Vec<Reading>, PayloadError> {
    let (&version, rest) = bytes.split_first().ok_or(PayloadError::Empty)?;
    if version != VERSION {
        return Err(PayloadError::Version(version));
    }
    let (groups, rest): (Vec<Group<'_>>, &[u8]) =
        postcard::take_from_bytes(rest).map_err(|_| PayloadError::Structure)?;
    if !rest.is_empty() {
        return Err(PayloadError::Structure);
    }
    let mut readings = Vec::with_capacity(groups.iter().map(|group| group.readings.len()).sum());
    let mut before = received_at.0;
    for group in &groups {
        let meter = MeterId::new(group.meter).map_err(|_| PayloadError::Content("meter"))?;
        for &(quantity, quality, delta, value) in &group.readings {
            before = before.wrapping_add(delta);
            readings.push(Reading {
                meter: meter.clone(),
                quantity: Quantity::from_code(quantity).ok_or(PayloadError::Content("quantity"))?,
                at: UtcMs(before),
                value: Value::new(value).map_err(|_| PayloadError::Content("value"))?,
                quality: ReadingQuality::from_code(quality)
                    .ok_or(PayloadError::Content("quality"))?,
            });
        }
    }
    Ok(readings)
}

/// The law for any bytes at all: decoding does not panic, and what decodes survives another trip.
/// Entry of the fuzzers.
pub fn fuzz_one(bytes: &[u8]) {
    let received_at = UtcMs(1_790_000_000_000);
    if let Ok(readings) = decode(received_at, bytes) {
        let again = decode(received_at, &encode(received_at, &readings));
        assert_eq!(again.as_deref(), Ok(readings.as_slice()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading() -> impl Strategy<Value = Reading> {
        (
            "[a-z0-9][a-z0-9._-]{0,3}",
            proptest::sample::select(Quantity::ALL),
            prop_oneof![any::<i64>(), 1_700_000_000_000_i64..1_800_000_000_000],
            any::<f64>().prop_filter("finite", |number| number.is_finite()),
            0_u8..3,
        )
            .prop_map(|(meter, quantity, at, value, quality)| Reading {
                meter: MeterId::new(meter).unwrap(),
                quantity,
                at: UtcMs(at),
                value: Value::new(value).unwrap(),
                quality: ReadingQuality::from_code(quality).unwrap(),
            })
    }

    proptest! {
        #[test]
        fn decoding_is_the_reverse_of_encoding(
            received_at in any::<i64>(),
            readings in proptest::collection::vec(reading(), 0..40),
        ) {
            let bytes = encode(UtcMs(received_at), &readings);
            prop_assert_eq!(decode(UtcMs(received_at), &bytes), Ok(readings));
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_one(&bytes);
            let mut versioned = vec![VERSION];
            versioned.extend(&bytes);
            fuzz_one(&versioned);
        }

        #[test]
        fn damaged_payloads_never_panic(
            readings in proptest::collection::vec(reading(), 1..12),
            place in any::<proptest::sample::Index>(),
            bit in 0_u8..8,
            length in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = encode(UtcMs(0), &readings);
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
            fuzz_one(&bytes);
            fuzz_one(&bytes[..length.index(bytes.len())]);
        }
    }

    #[test]
    fn what_is_no_payload_says_why() {
        assert_eq!(decode(UtcMs(0), &[]), Err(PayloadError::Empty));
        assert_eq!(decode(UtcMs(0), &[9, 0]), Err(PayloadError::Version(9)));
        assert_eq!(
            decode(UtcMs(0), &[VERSION, 0, 0]),
            Err(PayloadError::Structure)
        );
        // One group, meter "m", one reading of a quantity that does not exist.
        let mut bytes = vec![VERSION, 1, 1, b'm', 1, 200, 0, 0];
        bytes.extend(1.0_f64.to_le_bytes());
        assert_eq!(
            decode(UtcMs(0), &bytes),
            Err(PayloadError::Content("quantity"))
        );
        bytes[5] = Quantity::Power.code();
        bytes.truncate(8);
        bytes.extend(f64::NAN.to_le_bytes());
        assert_eq!(
            decode(UtcMs(0), &bytes),
            Err(PayloadError::Content("value"))
        );
    }

    #[test]
    fn ten_readings_of_one_poll_are_small() {
        let readings: Vec<Reading> = Quantity::ALL
            .iter()
            .take(10)
            .map(|&quantity| Reading {
                meter: MeterId::new("xzzx-1-main").unwrap(),
                quantity,
                at: UtcMs(1_790_000_000_000),
                value: Value::new(231.5).unwrap(),
                quality: ReadingQuality::Good,
            })
            .collect();
        let bytes = encode(UtcMs(1_790_000_000_250), &readings);
        assert!(bytes.len() <= 130, "{} bytes", bytes.len());
    }
}
