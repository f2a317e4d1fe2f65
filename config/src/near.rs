//! The nearest name, for hints.

/// The name of `names` that is nearest to `wrong`, if a slip of the finger explains the difference.
pub(crate) fn nearest<'n>(
    wrong: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    // Longer texts are no typing mistakes, and the distance is quadratic.
    const CHARS_MAX: usize = 80;
    let length = wrong.chars().count();
    if length > CHARS_MAX {
        return None;
    }
    let allowed = (length / 3).max(1);
    names
        .into_iter()
        .map(|name| (distance(&wrong.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Insertions, deletions, substitutions and swaps of neighbours between two texts.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    // Rows of the usual table: two above, one above, and the one being filled.
    let mut above_2: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, letter_a) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, letter_b) in b.iter().enumerate() {
            let substituted = above[j] + usize::from(letter_a != letter_b);
            let mut cell = substituted.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter_a == b[j - 1] && a[i - 1] == *letter_b {
                cell = cell.min(above_2[j - 1] + 1);
            }
            row.push(cell);
        }
        above_2 = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_does_not() {
        let names = ["bytes_max", "replay_window_h"];
        assert_eq!(nearest("byte_max", names), Some("bytes_max"));
        assert_eq!(nearest("Bytes_Max", names), Some("bytes_max"));
        assert_eq!(nearest("colour", names), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("mian", "main"), 1);
    }
}
