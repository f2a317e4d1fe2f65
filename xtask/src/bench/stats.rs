//! Figures of several runs, and the text of them.

/// What one quantity was in each run.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures(Vec<f64>);

impl Figures {
    pub(super) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    /// The middle one; of an even number the mean of the two in the middle. NaN of none.
    pub(super) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => f64::NAN,
            length if length % 2 == 1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    pub(super) fn max(&self) -> f64 {
        self.sorted().last().copied().unwrap_or(f64::NAN)
    }

    pub(super) fn min(&self) -> f64 {
        self.sorted().first().copied().unwrap_or(f64::NAN)
    }

    /// `median (min–max)`, or a dash where nothing was measured.
    pub(super) fn text(&self) -> String {
        match self.0.as_slice() {
            figures if figures.iter().all(|figure| figure.is_nan()) => "–".to_owned(),
            [only] => number(*only),
            _ => format!(
                "{} ({}–{})",
                number(self.median()),
                number(self.min()),
                number(self.max())
            ),
        }
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

/// Three digits that count, thousands divided.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let size = value.abs();
    if size < 0.000_5 {
        return "0".to_owned();
    }
    let decimals = match size {
        _ if size >= 99.95 => 0,
        _ if size >= 9.995 => 1,
        _ if size >= 0.995 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let digits = whole.trim_start_matches('-');
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{grouped}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_and_of_two_their_mean() {
        assert_eq!(Figures::from_iter([3.0, 1.0, 2.0]).median(), 2.0);
        assert_eq!(Figures::from_iter([4.0, 1.0]).median(), 2.5);
        assert!(Figures::default().median().is_nan());
        assert_eq!(Figures::from_iter([f64::NAN, f64::NAN]).text(), "–");
    }

    #[test]
    fn numbers_are_divided_at_the_thousands_and_keep_three_digits() {
        let texts = [1_234_567.8, 999.96, 12.345, 1.5, 0.025, 0.0].map(number);
        assert_eq!(texts, ["1,234,568", "1,000", "12.3", "1.50", "0.025", "0"]);
        assert_eq!(number(-1_500.0), "-1,500");
    }
}
