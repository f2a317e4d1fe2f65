//! `ratios.csv`: transformers that were exchanged while their meter stayed.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use steward_model::MeterId;

use super::references::Profiles;
use super::registry::{RawMeter, RawRegistry};
use crate::error::{At, Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::profile::RatioSide;

pub(super) const COLUMNS: &[&str] = &["meter", "from", "ratio", "source"];

/// One row. Its source is for people: the document that says so.
pub(super) struct RawRatio {
    meter: Located<MeterId>,
    from: Located<NaiveDate>,
    ratio: Located<u32>,
}

/// The later ratios of every meter that has some, ascending.
pub(super) type Ratios = BTreeMap<MeterId, Vec<(NaiveDate, u32)>>;

pub(super) fn read(fields: &Fields<'_>) -> Option<RawRatio> {
    let meter = fields.need("meter", parse::id(|text| MeterId::new(text).ok()));
    let from = fields.need("from", parse::date);
    let ratio = fields.need("ratio", parse::integer(1..=10_000_000));
    fields.need("source", parse::text);
    Some(RawRatio {
        meter: meter?,
        from: from?,
        ratio: ratio?,
    })
}

pub(super) fn check(log: &Log, raw: &RawRegistry, profiles: &Profiles) -> Ratios {
    let written = raw.written.meters.iter().map(|id| &id.value).collect();
    let meters: BTreeMap<&MeterId, &RawMeter> = raw
        .meters
        .iter()
        .map(|meter| (&meter.id.value, meter))
        .collect();
    let mut first: BTreeMap<(&MeterId, NaiveDate), &At> = BTreeMap::new();
    let mut ratios = Ratios::new();
    for row in &raw.ratios {
        if !super::references::known(log, "meter", &row.meter, &written) {
            continue;
        }
        if let Some(other) = first.insert((&row.meter.value, row.from.value), &row.from.at) {
            let problem = Problem::new("another row has this meter and this day")
                .hint(format!("the first stands at {}", other.place()));
            log.report(&row.from.at, problem);
        }
        if let Some(meter) = meters.get(&row.meter.value) {
            fits_meter(log, row, meter, profiles);
        }
        let changes = ratios.entry(row.meter.value.clone()).or_default();
        changes.push((row.from.value, row.ratio.value));
    }
    for changes in ratios.values_mut() {
        changes.sort_unstable();
    }
    ratios
}

fn fits_meter(log: &Log, row: &RawRatio, meter: &RawMeter, profiles: &Profiles) {
    let from = row.from.value;
    if from <= meter.from.value {
        let text = format!(
            "is not after the meter's first day, which is {}",
            meter.from.value
        );
        let problem = Problem::new(text).hint(format!(
            "the first ratio stands with the meter at {}",
            meter.ratio.at.place()
        ));
        log.report(&row.from.at, problem);
    }
    if let Some(to) = meter.to.filter(|to| from >= *to) {
        let text = format!("is after the meter's last day: it serves until {to}");
        log.report(&row.from.at, Problem::new(text));
    }
    if let Some(profile) = profiles.get(&meter.profile.value)
        && profile.side == RatioSide::Primary
    {
        let text = format!(
            "profile {} already contains the ratios of meter {}",
            profile.id, meter.id.value
        );
        let problem = Problem::new(text).hint("leave the row out, or it is applied twice");
        log.report(&row.ratio.at, problem);
    }
}
