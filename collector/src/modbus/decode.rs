//! Registers become values. Pure: words in, a value or a refusal out.

use steward_config::{RegisterSpec, RegisterType, WordOrder};
use steward_model::Value;

/// Why registers are no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Another number of words than the type takes.
    #[error("{got} words where {expected} are needed")]
    WordCount {
        /// Words that the type takes.
        expected: u16,
        /// Words that were given.
        got: usize,
    },
    /// A nibble above nine where decimal digits are expected.
    #[error("a BCD digit above 9")]
    NotDecimal,
    /// NaN or an infinity, as sent or after scaling.
    #[error("the number is not finite")]
    NotFinite,
    /// An integer beyond 2^53, which a value cannot hold exactly.
    #[error("the integer is too large to be held exactly")]
    Unrepresentable,
    /// A bit register that is neither 0 nor 1.
    #[error("a bit that is neither 0 nor 1")]
    NotABit,
}

impl DecodeError {
    /// The reason's word in metrics.
    pub const fn id(self) -> &'static str {
        match self {
            Self::WordCount { .. } => "word_count",
            Self::NotDecimal => "not_decimal",
            Self::NotFinite => "not_finite",
            Self::Unrepresentable => "unrepresentable",
            Self::NotABit => "not_a_bit",
        }
    }
}

/// The value of one quantity from exactly the words of its registers.
///
/// Scale and unit factor are multiplied first: `0.01 kWh` becomes the exact factor 10 of watt-hours,
/// so a counter of hundredths stays an integer.
pub fn decode_registers(spec: &RegisterSpec, words: &[u16]) -> Result<Value, DecodeError> {
    let raw = raw_number(spec.kind, spec.order, words)?;
    let number = raw * (spec.scale * spec.factor) + spec.offset * spec.factor;
    Value::new(number).map_err(|_| DecodeError::NotFinite)
}

/// The number in the registers, before scale, offset and unit.
fn raw_number(kind: RegisterType, order: WordOrder, words: &[u16]) -> Result<f64, DecodeError> {
    let expected = kind.words();
    if words.len() != usize::from(expected) {
        return Err(DecodeError::WordCount {
            expected,
            got: words.len(),
        });
    }
    let bits = joined(order, words);
    let number = match kind {
        RegisterType::Bit => match words {
            [0] => 0.0,
            [1] => 1.0,
            _ => return Err(DecodeError::NotABit),
        },
        RegisterType::U16 | RegisterType::U32 | RegisterType::U64 => exact_unsigned(bits)?,
        RegisterType::I16 => f64::from(low_i16(bits)),
        RegisterType::I32 => f64::from(low_i32(bits)),
        RegisterType::I64 => exact_signed(bits.cast_signed())?,
        RegisterType::F32 => f64::from(f32::from_bits(low_u32(bits))),
        RegisterType::F64 => f64::from_bits(bits),
        RegisterType::Bcd16 => exact_unsigned(decimal(bits, 4)?)?,
        RegisterType::Bcd32 => exact_unsigned(decimal(bits, 8)?)?,
        RegisterType::Bcd64 => exact_unsigned(decimal(bits, 16)?)?,
    };
    if number.is_finite() {
        Ok(number)
    } else {
        Err(DecodeError::NotFinite)
    }
}

/// The words as one big-endian integer, after words and bytes were put in order.
fn joined(order: WordOrder, words: &[u16]) -> u64 {
    let (reversed, swapped) = match order {
        WordOrder::Abcd => (false, false),
        WordOrder::Cdab => (true, false),
        WordOrder::Badc => (false, true),
        WordOrder::Dcba => (true, true),
    };
    let push = |bits: u64, word: &u16| {
        let word = if swapped { word.swap_bytes() } else { *word };
        (bits << 16) | u64::from(word)
    };
    if reversed {
        words.iter().rev().fold(0, push)
    } else {
        words.iter().fold(0, push)
    }
}

fn low_u32(bits: u64) -> u32 {
    u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(u32::MAX)
}

fn low_i32(bits: u64) -> i32 {
    low_u32(bits).cast_signed()
}

fn low_i16(bits: u64) -> i16 {
    u16::try_from(bits & u64::from(u16::MAX))
        .unwrap_or(u16::MAX)
        .cast_signed()
}

/// The largest integer below which every integer is an `f64`.
const EXACT_MAX: u64 = 1 << 53;

fn exact_unsigned(number: u64) -> Result<f64, DecodeError> {
    if number <= EXACT_MAX {
        // Exact by the check above.
        Ok(number as f64)
    } else {
        Err(DecodeError::Unrepresentable)
    }
}

fn exact_signed(number: i64) -> Result<f64, DecodeError> {
    exact_unsigned(number.unsigned_abs()).map(|size| if number < 0 { -size } else { size })
}

fn decimal(bits: u64, digits: u32) -> Result<u64, DecodeError> {
    (0..digits).rev().try_fold(0_u64, |number, place| {
        let digit = (bits >> (4 * place)) & 0xF;
        if digit > 9 {
            Err(DecodeError::NotDecimal)
        } else {
            Ok(number * 10 + digit)
        }
    })
}

/// Every register type.
const KINDS: [RegisterType; 12] = [
    RegisterType::Bit,
    RegisterType::U16,
    RegisterType::I16,
    RegisterType::U32,
    RegisterType::I32,
    RegisterType::U64,
    RegisterType::I64,
    RegisterType::F32,
    RegisterType::F64,
    RegisterType::Bcd16,
    RegisterType::Bcd32,
    RegisterType::Bcd64,
];

const ORDERS: [WordOrder; 4] = [
    WordOrder::Abcd,
    WordOrder::Cdab,
    WordOrder::Badc,
    WordOrder::Dcba,
];

/// One step of a fuzzer: any bytes as type, order, scale and words. Whatever they are, the answer is
/// a finite value or a refusal.
pub fn fuzz_one(bytes: &[u8]) {
    let Some((&[kind, order], rest)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let (scale, rest) = match rest.split_first_chunk::<8>() {
        Some((scale, rest)) => (f64::from_be_bytes(*scale), rest),
        None => (1.0, rest),
    };
    let words: Vec<u16> = rest
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    let spec = RegisterSpec {
        quantity: steward_model::Quantity::EnergyImport,
        function: 3,
        address: 0,
        kind: KINDS[usize::from(kind) % KINDS.len()],
        order: ORDERS[usize::from(order) % ORDERS.len()],
        scale,
        offset: 0.0,
        factor: 1.0,
    };
    if let Ok(value) = decode_registers(&spec, &words) {
        assert!(value.get().is_finite());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use proptest::prelude::*;
    use steward_model::Quantity;

    use super::*;

    fn spec(kind: RegisterType, order: WordOrder) -> RegisterSpec {
        RegisterSpec {
            quantity: Quantity::EnergyImport,
            function: 3,
            address: 0,
            kind,
            order,
            scale: 1.0,
            offset: 0.0,
            factor: 1.0,
        }
    }

    fn value(kind: RegisterType, order: WordOrder, words: &[u16]) -> Result<f64, DecodeError> {
        decode_registers(&spec(kind, order), words).map(Value::get)
    }

    #[test]
    fn every_type_in_every_order() {
        use RegisterType as T;
        use WordOrder::{Abcd, Badc, Cdab, Dcba};
        // 0x0102_0304 = 16 909 060 in the four orders.
        assert_eq!(value(T::U32, Abcd, &[0x0102, 0x0304]), Ok(16_909_060.0));
        assert_eq!(value(T::U32, Cdab, &[0x0304, 0x0102]), Ok(16_909_060.0));
        assert_eq!(value(T::U32, Badc, &[0x0201, 0x0403]), Ok(16_909_060.0));
        assert_eq!(value(T::U32, Dcba, &[0x0403, 0x0201]), Ok(16_909_060.0));
        assert_eq!(value(T::I32, Abcd, &[0xFFFF, 0xFFFE]), Ok(-2.0));
        assert_eq!(value(T::I32, Cdab, &[0xFFFE, 0xFFFF]), Ok(-2.0));
        assert_eq!(value(T::U16, Abcd, &[0xFFFE]), Ok(65_534.0));
        assert_eq!(value(T::U16, Badc, &[0x3412]), Ok(4_660.0));
        assert_eq!(value(T::I16, Abcd, &[0xFFFE]), Ok(-2.0));
        assert_eq!(value(T::I16, Dcba, &[0xFEFF]), Ok(-2.0));
        // 230.5 as a single: 0x43668000.
        assert_eq!(value(T::F32, Abcd, &[0x4366, 0x8000]), Ok(230.5));
        assert_eq!(value(T::F32, Cdab, &[0x8000, 0x4366]), Ok(230.5));
        assert_eq!(value(T::F32, Badc, &[0x6643, 0x0080]), Ok(230.5));
        assert_eq!(value(T::F32, Dcba, &[0x0080, 0x6643]), Ok(230.5));
        // 1.5 as a double: 0x3FF8_0000_0000_0000.
        assert_eq!(value(T::F64, Abcd, &[0x3FF8, 0, 0, 0]), Ok(1.5));
        assert_eq!(value(T::F64, Cdab, &[0, 0, 0, 0x3FF8]), Ok(1.5));
        assert_eq!(value(T::F64, Dcba, &[0, 0, 0, 0xF83F]), Ok(1.5));
        assert_eq!(value(T::U64, Abcd, &[0, 0, 1, 2]), Ok(65_538.0));
        assert_eq!(value(T::U64, Cdab, &[2, 1, 0, 0]), Ok(65_538.0));
        assert_eq!(
            value(T::I64, Abcd, &[0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD]),
            Ok(-3.0)
        );
        assert_eq!(value(T::Bcd16, Abcd, &[0x1234]), Ok(1_234.0));
        assert_eq!(value(T::Bcd32, Cdab, &[0x5678, 0x1234]), Ok(12_345_678.0));
        assert_eq!(
            value(T::Bcd64, Abcd, &[0, 0x0001, 0x2345, 0x6789]),
            Ok(123_456_789.0)
        );
        assert_eq!(value(T::Bit, Abcd, &[1]), Ok(1.0));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        use RegisterType as T;
        use WordOrder::Abcd;
        assert_eq!(
            value(T::F32, Abcd, &[0x7FC0, 0]),
            Err(DecodeError::NotFinite)
        );
        assert_eq!(
            value(T::F32, Abcd, &[0xFF80, 0]),
            Err(DecodeError::NotFinite)
        );
        assert_eq!(
            value(T::F64, Abcd, &[0x7FF0, 0, 0, 0]),
            Err(DecodeError::NotFinite)
        );
        assert_eq!(
            value(T::Bcd16, Abcd, &[0x12A4]),
            Err(DecodeError::NotDecimal)
        );
        assert_eq!(
            value(T::U64, Abcd, &[0xFFFF; 4]),
            Err(DecodeError::Unrepresentable)
        );
        assert_eq!(
            value(T::I64, Abcd, &[0x8000, 0, 0, 0]),
            Err(DecodeError::Unrepresentable)
        );
        assert_eq!(value(T::Bit, Abcd, &[2]), Err(DecodeError::NotABit));
        assert_eq!(
            value(T::U32, Abcd, &[1]),
            Err(DecodeError::WordCount {
                expected: 2,
                got: 1
            })
        );
        let mut huge = spec(T::F64, Abcd);
        huge.scale = 1e300;
        // 2^1023 overflows once it is scaled.
        assert_eq!(
            decode_registers(&huge, &[0x7FE0, 0, 0, 0]),
            Err(DecodeError::NotFinite)
        );
    }

    #[test]
    fn hundredths_of_a_kilowatt_hour_stay_whole_watt_hours() {
        let mut hundredths = spec(RegisterType::U32, WordOrder::Abcd);
        hundredths.scale = 0.01;
        hundredths.factor = 1_000.0;
        for raw in [0_u32, 7, 29, 57, 123_456_789, u32::MAX] {
            let words = [(raw >> 16) as u16, (raw & 0xFFFF) as u16];
            let value = decode_registers(&hundredths, &words).unwrap();
            assert_eq!(value.get(), f64::from(raw) * 10.0);
        }
        let mut warm = spec(RegisterType::I16, WordOrder::Abcd);
        warm.scale = 0.5;
        warm.offset = -40.0;
        assert_eq!(decode_registers(&warm, &[100]).unwrap().get(), 10.0);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_finite_value_or_a_refusal(
            bytes in proptest::collection::vec(any::<u8>(), 0..24)
        ) {
            fuzz_one(&bytes);
        }

        #[test]
        fn integers_come_back_as_they_were(number in any::<i32>(), order in 0..4_usize) {
            let [a, b, c, d] = number.to_be_bytes();
            let bytes = match ORDERS[order] {
                WordOrder::Abcd => [a, b, c, d],
                WordOrder::Cdab => [c, d, a, b],
                WordOrder::Badc => [b, a, d, c],
                WordOrder::Dcba => [d, c, b, a],
            };
            let words = [
                u16::from_be_bytes([bytes[0], bytes[1]]),
                u16::from_be_bytes([bytes[2], bytes[3]]),
            ];
            prop_assert_eq!(value(RegisterType::I32, ORDERS[order], &words), Ok(f64::from(number)));
        }
    }
}
