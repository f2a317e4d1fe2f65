//! `[[golden]]` of a profile: known bytes and what they mean.

use std::collections::BTreeMap;

use chrono::DateTime;
use steward_model::{Quantity, UtcMs};

use crate::error::Problem;
use crate::fields::Fields;
use crate::parse;
use crate::profile::{Golden, ProfileBody};

pub(super) fn read(fields: &Fields<'_>, body: Option<&ProfileBody>) -> Option<Golden> {
    let expect = fields.table("expect");
    let mut expected = Vec::new();
    let given = body.map(ProfileBody::quantities).unwrap_or_default();
    for (name, at, item) in expect.pairs() {
        let number = parse::number(f64::MIN..=f64::MAX)(&item.value);
        match (name.parse::<Quantity>(), number) {
            (Ok(quantity), Ok(number)) if given.contains(&quantity) => {
                expected.push((quantity, number));
            }
            (Ok(_), Ok(_)) if body.is_none() => {}
            (Ok(_), Ok(_)) | (Err(_), _) => fields
                .log()
                .report(&at, Problem::new("is no quantity of this profile")),
            (_, Err(problem)) => fields.log().report(&at, problem),
        }
    }
    if expect.pairs().next().is_none() {
        fields.missing("expect", Some("what must come out of it".to_owned()));
    }
    let golden = match body? {
        ProfileBody::Modbus(profile) => {
            let registers = words(&fields.table("registers"));
            for spec in &profile.registers {
                let is_expected = expected.iter().any(|(name, _)| *name == spec.quantity);
                let is_there = (0..spec.kind.words()).all(|word| {
                    let address = spec.address.checked_add(word);
                    address.is_some_and(|address| registers.contains_key(&address))
                });
                if is_expected && !is_there {
                    let text = format!("does not hold all words of {}", spec.quantity);
                    let at = fields.at_of("registers");
                    fields.log().report(&at, Problem::new(text));
                }
            }
            Golden::Registers {
                registers,
                expect: expected,
            }
        }
        ProfileBody::Mqtt(_) => {
            let payload = fields.need("payload", parse::text);
            let at = fields.read("at", |value| {
                let text = parse::text(value)?;
                DateTime::parse_from_rfc3339(&text)
                    .map(|time| UtcMs::from_datetime(time.to_utc()))
                    .map_err(|_| Problem::new("must be an RFC 3339 time in quotes"))
            });
            Golden::Payload {
                payload: payload?.value,
                at: at.map(|at| at.value),
                expect: expected,
            }
        }
    };
    fields.finish();
    Some(golden)
}

/// `registers = { 0x0048 = [0x4366, 0x0000] }`: words from that address on.
fn words(fields: &Fields<'_>) -> BTreeMap<u16, u16> {
    let mut registers = BTreeMap::new();
    for (key, at, item) in fields.pairs() {
        let start = match key.strip_prefix("0x") {
            Some(digits) => u16::from_str_radix(digits, 16).ok(),
            None => key.parse::<u16>().ok(),
        };
        let words = parse::list(parse::integer::<u16>(0..=65_535))(&item.value);
        match (start, words) {
            (Some(start), Ok(words)) => registers.extend((start..=u16::MAX).zip(words)),
            (None, _) => {
                let problem =
                    Problem::new("is no address").allowed("0 to 65535, or 0x0000 to 0xffff");
                fields.log().report(&at, problem);
            }
            (_, Err(problem)) => fields.log().report(&at, problem),
        }
    }
    registers
}
