//! Which tags a meter's readings and a point's ledger carry.

use std::collections::HashMap;

use steward_config::{Config, PointRole, Registry};
use steward_model::{Commodity, LedgerRow, MeterId, PointId, Quantity};

use super::line::{push_decimal, push_float, push_integer, push_string, push_tag, push_whole};

/// Micrograms of a kilogram.
pub(crate) const UG_PER_KG: i64 = 1_000_000_000;
/// Nano-yuan of a yuan.
const NCNY_PER_CNY: i64 = 1_000_000_000;

/// The tags that come from the registry, by meter and by point, ready to be copied into lines.
#[derive(Clone, Debug, Default)]
pub struct TagBook {
    meters: HashMap<MeterId, String>,
    points: HashMap<PointId, PointTags>,
}

/// A point's tags stand around the tag `span`, which sorts between them.
#[derive(Clone, Debug)]
struct PointTags {
    before_span: String,
    after_span: String,
    commodity: Commodity,
}

impl TagBook {
    /// Takes the tags from the registry of a configuration.
    pub fn new(config: &Config) -> Self {
        Self::of_registry(&config.registry)
    }

    /// Takes the tags from a registry.
    pub fn of_registry(registry: &Registry) -> Self {
        let mut book = Self::default();
        for point in registry.points.values() {
            let Some(building) = registry.building_of(point) else {
                continue;
            };
            let mut before_span = "energy".to_owned();
            push_tag(&mut before_span, "building", building.id.as_str());
            push_tag(&mut before_span, "commodity", point.commodity.id());
            push_tag(
                &mut before_span,
                "institution",
                building.institution.as_str(),
            );
            // Points without a parent and without a role make totals.
            let parent = point.parent.as_ref().map_or("", PointId::as_str);
            push_tag(&mut before_span, "parent", parent);
            push_tag(&mut before_span, "point", point.id.as_str());
            if point.role != PointRole::Counted {
                push_tag(&mut before_span, "role", point.role.id());
            }
            let mut after_span = String::new();
            push_tag(
                &mut after_span,
                "subitem",
                point.subitem.as_deref().unwrap_or(""),
            );
            book.points.insert(
                point.id.clone(),
                PointTags {
                    before_span,
                    after_span,
                    commodity: point.commodity,
                },
            );
        }
        for meter in registry.meters.values() {
            let building = registry
                .points
                .get(&meter.point)
                .and_then(|point| registry.building_of(point));
            let Some(building) = building else { continue };
            let mut tags = "reading".to_owned();
            push_tag(&mut tags, "building", building.id.as_str());
            push_tag(&mut tags, "institution", building.institution.as_str());
            push_tag(&mut tags, "meter", meter.id.as_str());
            book.meters.insert(meter.id.clone(), tags);
        }
        book
    }

    /// Appends the line of a reading, without a line break; false where the registry does not know
    /// the meter: the line then carries the meter alone.
    pub(crate) fn push_reading(
        &self,
        line: &mut String,
        (meter, quantity): (&MeterId, Quantity),
        (at_ms, value, quality): (i64, f64, u8),
    ) -> bool {
        let tags = self.meters.get(meter);
        match tags {
            Some(tags) => line.push_str(tags),
            None => {
                line.push_str("reading");
                push_tag(line, "meter", meter.as_str());
            }
        }
        push_tag(line, "quantity", quantity.id());
        line.push_str(" quality=");
        push_whole(line, i64::from(quality));
        line.push_str(",value=");
        push_float(line, value);
        line.push(' ');
        push_whole(line, at_ms);
        tags.is_some()
    }

    /// Appends the line of a ledger row, without a line break; false where the registry does not
    /// know the point: the line then carries the point alone and no amount in a unit.
    pub(crate) fn push_ledger(&self, line: &mut String, row: &LedgerRow) -> bool {
        let tags = self.points.get(&row.point);
        match tags {
            Some(tags) => line.push_str(&tags.before_span),
            None => {
                line.push_str("energy");
                push_tag(line, "point", row.point.as_str());
            }
        }
        push_tag(line, "span", row.span.id());
        line.push_str(tags.map_or("", |tags| &tags.after_span));
        line.push(' ');
        if let Some(tags) = tags {
            line.push_str("amount=");
            push_decimal(line, row.amount_base, tags.commodity.base_per_unit());
            line.push(',');
        }
        for (name, number) in [
            ("amount_base=", row.amount_base),
            (",measured=", row.shares.measured_base),
            (",interpolated=", row.shares.interpolated_base),
            (",estimated=", row.shares.estimated_base),
            (",manual=", row.shares.manual_base),
            (",intervals_present=", i64::from(row.intervals_present)),
            (",intervals_expected=", i64::from(row.intervals_expected)),
        ] {
            line.push_str(name);
            push_whole(line, number);
        }
        for (name, micrograms) in [(",kgce=", row.kgce_ug), (",co2_kg=", row.co2_ug)] {
            if let Some(micrograms) = micrograms {
                line.push_str(name);
                push_decimal(line, micrograms, UG_PER_KG);
            }
        }
        if let Some(cost_ncny) = row.cost_ncny {
            line.push_str(",cost=");
            push_decimal(line, cost_ncny, NCNY_PER_CNY);
            // A year's cost may be more than a float holds exactly.
            line.push_str(",cost_ncny=");
            push_integer(line, cost_ncny);
        }
        for (name, set) in [
            (",factor_set=", &row.factor_set),
            (",tariff_set=", &row.tariff_set),
        ] {
            if !set.is_empty() {
                line.push_str(name);
                push_string(line, set);
            }
        }
        line.push(' ');
        push_whole(line, row.start_s);
        tags.is_some()
    }
}
