//! Noise that is a function of its place: the same seed, meter, day and quarter give the same.

/// A number in 0..1 for a place.
pub(crate) fn unit(seed: u64, place: [u64; 3]) -> f64 {
    let mut state = seed ^ 0x9E37_79B9_7F4A_7C15;
    for part in place {
        state = mix(state.wrapping_add(part).wrapping_add(0x9E37_79B9_7F4A_7C15));
    }
    // 53 bits fit a double exactly.
    f64::from(u32::try_from(state >> 32).unwrap_or(u32::MAX)) / f64::from(u32::MAX)
}

/// The finaliser of SplitMix64: every bit of the input changes half of the output.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #[test]
    fn noise_depends_on_its_place_alone() {
        let a = super::unit(7, [1, 2, 3]);
        assert!((0.0..=1.0).contains(&a));
        assert_eq!(a.to_bits(), super::unit(7, [1, 2, 3]).to_bits());
        assert_ne!(a.to_bits(), super::unit(7, [1, 2, 4]).to_bits());
        assert_ne!(a.to_bits(), super::unit(8, [1, 2, 3]).to_bits());
    }
}
