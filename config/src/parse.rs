//! From written values to typed ones. Each function answers what is wrong without the place.

use std::ops::RangeInclusive;

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::error::Problem;
use crate::tree::Value;

fn wrong_type(expected: &str) -> Problem {
    Problem::new(format!("must be {expected}"))
}

/// A text that is not empty.
pub(crate) fn text(value: &Value) -> Result<String, Problem> {
    match value {
        Value::Text(text) | Value::Cell(text) if !text.trim().is_empty() => Ok(text.clone()),
        Value::Text(_) | Value::Cell(_) => Err(Problem::new("must not be empty")),
        _ => Err(wrong_type("a text in quotes")),
    }
}

/// An id in the one form that files, URLs and topics share.
pub(crate) fn id<T>(make: fn(&str) -> Option<T>) -> impl Fn(&Value) -> Result<T, Problem> {
    move |value| {
        make(&text(value)?).ok_or_else(|| {
            Problem::new("is no id")
                .allowed("1 to 64 of a-z, 0-9, `-`, `_` and `.`, starting with a letter or digit")
        })
    }
}

/// A whole number within a range.
pub(crate) fn integer<T: TryFrom<i64>>(
    range: RangeInclusive<i64>,
) -> impl Fn(&Value) -> Result<T, Problem> {
    move |value| {
        let number = match value {
            Value::Integer(digits, radix) => i64::from_str_radix(digits, *radix).ok(),
            Value::Cell(cell) => match cell.parse::<i64>() {
                Ok(number) => Some(number),
                Err(_) => return Err(wrong_type("a whole number")),
            },
            _ => return Err(wrong_type("a whole number without quotes")),
        };
        number
            .filter(|number| range.contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| match (*range.start(), *range.end()) {
                (low, i64::MAX) => Problem::new(format!("must be {low} or more")),
                (low, high) => Problem::new(format!("must be {low} to {high}")),
            })
    }
}

/// A finite number within a range.
pub(crate) fn number(range: RangeInclusive<f64>) -> impl Fn(&Value) -> Result<f64, Problem> {
    move |value| {
        let number = match value {
            Value::Integer(digits, radix) => i64::from_str_radix(digits, *radix)
                .ok()
                .and_then(|_| digits.parse::<f64>().ok()),
            Value::Float(digits) => digits.parse::<f64>().ok(),
            Value::Cell(cell) => match cell.parse::<f64>() {
                Ok(number) => Some(number),
                Err(_) => return Err(wrong_type("a number")),
            },
            _ => return Err(wrong_type("a number without quotes")),
        };
        number
            .filter(|number| number.is_finite() && range.contains(number))
            .ok_or_else(|| match (*range.start(), *range.end()) {
                (f64::MIN, f64::MAX) => Problem::new("must be a finite number"),
                (low, f64::MAX) => Problem::new(format!("must be {low} or more")),
                (low, high) => Problem::new(format!("must be {low} to {high}")),
            })
    }
}

/// A decimal exactly as written.
pub(crate) fn decimal(value: &Value) -> Result<Decimal, Problem> {
    let written = match value {
        Value::Integer(digits, 10) => digits,
        Value::Float(digits) => digits,
        Value::Cell(cell) => cell,
        _ => return Err(wrong_type("a decimal number without quotes")),
    };
    Decimal::from_str_exact(written)
        .or_else(|_| Decimal::from_scientific(written))
        .map_err(|_| Problem::new("must be a decimal number of at most 28 digits"))
}

/// A decimal that is zero or more.
pub(crate) fn decimal_from_zero(value: &Value) -> Result<Decimal, Problem> {
    decimal(value).and_then(|number| {
        if number.is_sign_negative() && !number.is_zero() {
            Err(Problem::new("must be 0 or more"))
        } else {
            Ok(number)
        }
    })
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value) -> Result<bool, Problem> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Cell(cell) if cell == "true" => Ok(true),
        Value::Cell(cell) if cell == "false" => Ok(false),
        _ => Err(wrong_type("true or false, without quotes")),
    }
}

/// A date such as 2026-10-01, with or without quotes.
pub(crate) fn date(value: &Value) -> Result<NaiveDate, Problem> {
    let problem = || wrong_type("a date such as 2026-10-01");
    let date = match value {
        Value::Text(text) | Value::Cell(text) => {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| problem())?
        }
        Value::Time(time) if time.time.is_none() && time.offset.is_none() => {
            let date = time.date.ok_or_else(problem)?;
            NaiveDate::from_ymd_opt(date.year.into(), date.month.into(), date.day.into())
                .ok_or_else(problem)?
        }
        _ => return Err(problem()),
    };
    let allowed = NaiveDate::from_ymd_opt(1990, 1, 1)..NaiveDate::from_ymd_opt(2200, 1, 1);
    if allowed.contains(&Some(date)) {
        Ok(date)
    } else {
        Err(Problem::new("must lie between 1990-01-01 and 2199-12-31"))
    }
}

/// A zone of the IANA list. Its offset must be whole quarters of an hour, as every zone's is today.
pub(crate) fn zone(value: &Value) -> Result<Tz, Problem> {
    let name = text(value)?;
    name.parse::<Tz>().map_err(|_| {
        Problem::new("is no IANA time zone")
            .allowed("names such as Asia/Shanghai, Europe/London, UTC")
            .nearest(&name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()))
    })
}

/// One word of a list.
pub(crate) fn one_of<'w, T: Copy>(
    words: &'w [(&'static str, T)],
) -> impl Fn(&Value) -> Result<T, Problem> + 'w {
    move |value| {
        let word = text(value)?;
        let names = || words.iter().map(|(name, _)| *name);
        words
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, meaning)| *meaning)
            .ok_or_else(|| {
                Problem::new("is not among the allowed words")
                    .allowed(names().collect::<Vec<_>>().join(", "))
                    .nearest(&word, names())
            })
    }
}

/// A list, each item read by `parse`. The first wrong item is the problem of the list.
pub(crate) fn list<T>(
    parse: impl Fn(&Value) -> Result<T, Problem>,
) -> impl Fn(&Value) -> Result<Vec<T>, Problem> {
    move |value| match value {
        Value::List(items) => items
            .iter()
            .filter(|item| !matches!(item.value, Value::Broken))
            .map(|item| parse(&item.value))
            .collect(),
        _ => Err(wrong_type("a list in brackets")),
    }
}

/// A JSON pointer (RFC 6901).
pub(crate) fn json_pointer(value: &Value) -> Result<String, Problem> {
    let pointer = text(value)?;
    let escapes_are_right = pointer
        .split('~')
        .skip(1)
        .all(|after| after.starts_with('0') || after.starts_with('1'));
    if pointer.starts_with('/') && escapes_are_right {
        Ok(pointer)
    } else {
        Err(Problem::new("is no JSON pointer")
            .allowed("texts such as /ENERGY/Total; `~1` stands for `/`, `~0` for `~`")
            .hint(format!("write `/{}`", pointer.replace('.', "/"))))
    }
}
