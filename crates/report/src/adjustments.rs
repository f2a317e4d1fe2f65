//! What changed in closed months: the ledger as it is now, against the figures as they were closed.
//!
//! The law: closed + Σ adjustments = ledger, exactly, for every point and month and every exact
//! figure. A closed month keeps its figures; what changed since is a line of the first month after
//! it that is not closed, and when that month closes, the line is frozen in its content. What is
//! frozen is never shown again; what changes later is another line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use steward_config::Config;
use steward_model::{Commodity, InstitutionId, LedgerRow, PointId};
use steward_store::Source;
use utoipa::ToSchema;

use crate::books::BooksView;
use crate::cause::{Changed, cause};
use crate::close::{ClosedPoint, Closes};
use crate::facts::{month_rows, zone_of_point};
use crate::numbers::{amount, kg, yuan};
use crate::{Month, ReportError};

/// The exact figures of a point's month, or a difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exact {
    /// Base units.
    pub amount_base: i64,
    /// Standard coal in micrograms; a decimal text in JSON, whose numbers end at 2⁵³.
    #[serde(with = "text")]
    pub kgce_ug: Option<i64>,
    /// CO2 in micrograms.
    #[serde(with = "text")]
    pub co2_ug: Option<i64>,
    /// Cost in nano-yuan.
    #[serde(with = "text")]
    pub cost_ncny: Option<i64>,
}

/// Exact integers of any size as decimal texts.
mod text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
        value.map(|value| value.to_string()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| text.parse().map_err(serde::de::Error::custom))
            .transpose()
    }
}

impl Exact {
    /// The figures of a ledger row.
    pub const fn of(row: &LedgerRow) -> Self {
        Self {
            amount_base: row.amount_base,
            kgce_ug: row.kgce_ug,
            co2_ug: row.co2_ug,
            cost_ncny: row.cost_ncny,
        }
    }

    /// The sum. What neither has, the sum has not.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    /// The difference. What neither has, the difference has not; what one has not, counts as zero.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    fn with(self, other: Self, both: impl Fn(i64, i64) -> i64) -> Self {
        let either = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (None, None) => None,
            _ => Some(both(a.unwrap_or(0), b.unwrap_or(0))),
        };
        Self {
            amount_base: both(self.amount_base, other.amount_base),
            kgce_ug: either(self.kgce_ug, other.kgce_ug),
            co2_ug: either(self.co2_ug, other.co2_ug),
            cost_ncny: either(self.cost_ncny, other.cost_ncny),
        }
    }

    /// Whether every figure is zero or absent.
    pub fn is_zero(self) -> bool {
        let figures = [self.kgce_ug, self.co2_ug, self.cost_ncny];
        self.amount_base == 0 && figures.iter().all(|one| one.unwrap_or(0) == 0)
    }
}

/// What changed of one point in one closed month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdjustmentLine {
    /// The closed month, `yyyy-mm`.
    pub month: String,
    /// The point.
    pub point: PointId,
    /// What it meters.
    pub commodity: Commodity,
    /// By how much.
    #[serde(flatten)]
    pub exact: Exact,
    /// Why.
    pub cause: AdjustmentCause,
}

/// Why a closed month is no longer what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AdjustmentCause {
    /// Its kind.
    pub kind: CauseKind,
    /// The events of the books that name the point's meters, or the revision.
    pub events: Vec<u64>,
    /// In Chinese words.
    pub text_zh: String,
    /// In English words.
    pub text_en: String,
}

/// Kinds of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// Events of the books after the close.
    Events,
    /// A revision of the month counts already what later months had taken as adjustments.
    Revision,
    /// Other factors apply to the month.
    Factors,
    /// Other tariffs apply to the month.
    Tariffs,
    /// Meters, ratios or the formula of the point are registered otherwise.
    Registry,
    /// Readings that came after the close.
    LateReadings,
}

/// An adjustment for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AdjustmentEntry {
    /// The closed month that it corrects, `yyyy-mm`.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub month: String,
    /// The month on which it stands, `yyyy-mm`.
    #[schema(pattern = r"^\d{4}-\d{2}$")]
    pub booked: String,
    /// Whether that month is still open, so that the line may change.
    pub live: bool,
    /// Point.
    pub point: String,
    /// Chinese name of the point.
    pub name_zh: String,
    /// English name of the point.
    pub name_en: String,
    /// What it meters.
    pub commodity: String,
    /// Unit of `amount`.
    pub unit: String,
    /// The exact change.
    pub amount_base: i64,
    /// The change in the commodity's unit.
    pub amount: f64,
    /// Change of standard coal.
    pub kgce: Option<f64>,
    /// Change of CO2, location-based.
    pub co2_kg: Option<f64>,
    /// Change of cost in CNY.
    pub cost_cny: Option<f64>,
    /// Why.
    pub cause: AdjustmentCause,
}

impl AdjustmentLine {
    /// The line for people, standing on the month `booked`.
    pub fn entry(&self, config: &Config, booked: Month, live: bool) -> AdjustmentEntry {
        let point = config.registry.points.get(&self.point);
        let names = point.map(|point| (point.name_zh.clone(), point.name_en.clone()));
        let (name_zh, name_en) =
            names.unwrap_or_else(|| (self.point.to_string(), self.point.to_string()));
        AdjustmentEntry {
            month: self.month.clone(),
            booked: booked.to_string(),
            live,
            point: self.point.to_string(),
            name_zh,
            name_en,
            commodity: self.commodity.id().to_owned(),
            unit: self.commodity.unit().to_owned(),
            amount_base: self.exact.amount_base,
            amount: amount(self.commodity, self.exact.amount_base),
            kgce: self.exact.kgce_ug.map(|ug| kg(ug.into())),
            co2_kg: self.exact.co2_ug.map(|ug| kg(ug.into())),
            cost_cny: self.exact.cost_ncny.map(|ncny| yuan(ncny.into())),
            cause: self.cause.clone(),
        }
    }
}

/// The exact figures of months by point, as they were closed, and the lines that each froze.
#[derive(Clone, Debug, Default)]
pub struct ClosedFigures {
    /// By point, as closed.
    pub points: BTreeMap<PointId, Exact>,
    /// Lines about earlier months that are frozen in it.
    pub frozen: Vec<(Month, PointId, Exact)>,
}

/// What closed months lack: the ledger − closed − what is frozen already, where it is not zero, by
/// month and point. `current` is the ledger of exactly those months. The content of `reopened` is
/// about to be replaced, so what it froze does not count.
pub fn outstanding(
    closed: &BTreeMap<Month, ClosedFigures>,
    current: &BTreeMap<(Month, PointId), Exact>,
    reopened: Option<Month>,
) -> BTreeMap<(Month, PointId), Exact> {
    let is_closed = |month: &Month| closed.contains_key(month);
    let mut lacking: BTreeMap<(Month, PointId), Exact> = current
        .iter()
        .filter(|((month, _), _)| is_closed(month))
        .map(|(key, exact)| (key.clone(), *exact))
        .collect();
    let mut take_off = |month: Month, point: &PointId, exact: Exact| {
        let entry = lacking.entry((month, point.clone())).or_default();
        *entry = entry.minus(exact);
    };
    for (&month, figures) in closed {
        for (point, exact) in &figures.points {
            take_off(month, point, *exact);
        }
        if Some(month) == reopened {
            continue;
        }
        for (of, point, exact) in figures.frozen.iter().filter(|(of, ..)| is_closed(of)) {
            take_off(*of, point, *exact);
        }
    }
    lacking.retain(|_, exact| !exact.is_zero());
    lacking
}

/// The month on which a line about `month` stands: the first one after it that is not closed.
pub fn booking_month(
    closed: &BTreeMap<Month, ClosedFigures>,
    month: Month,
    reopened: Option<Month>,
) -> Month {
    let mut booked = month.later(1);
    while Some(booked) != reopened && closed.contains_key(&booked) && booked.later(1) > booked {
        booked = booked.later(1);
    }
    booked
}

/// A line and the month on which it stands.
pub(crate) type Booked = (Month, AdjustmentLine);

impl Closes {
    /// The lines of closed months that are frozen nowhere yet.
    pub(crate) async fn live(
        &self,
        source: &Source,
        config: &Config,
        books: &BooksView,
        reopened: Option<Month>,
    ) -> Result<Vec<Booked>, ReportError> {
        let figures = self.figures();
        let (Some((&first, _)), Some((&last, _))) =
            (figures.first_key_value(), figures.last_key_value())
        else {
            return Ok(Vec::new());
        };
        let rows = month_rows(source, config, &self.points(config), first, last).await?;
        let rows: BTreeMap<(Month, PointId), LedgerRow> = rows
            .into_iter()
            .map(|row| {
                let zone = zone_of_point(config, &row.point);
                ((Month::of(zone, row.start_s), row.point.clone()), row)
            })
            .collect();
        let current = rows
            .iter()
            .map(|(key, row)| (key.clone(), Exact::of(row)))
            .collect();
        let lines = outstanding(&figures, &current, reopened).into_iter();
        // The month that is replaced has differences, not adjustments.
        let lines = lines.filter(|((month, _), _)| Some(*month) != reopened);
        Ok(lines
            .map(|((month, point), exact)| {
                let booked = booking_month(&figures, month, reopened);
                let row = rows.get(&(month, point.clone()));
                let closed = self.point(month, &point);
                let changed = Changed {
                    month,
                    point: &point,
                    exact,
                    row,
                    closed,
                    since: self.known_until(month, &point, reopened),
                    revision: self.revision_counts(month, &point, row, reopened),
                };
                let commodity = commodity_of(config, closed, &point);
                let line = AdjustmentLine {
                    month: month.to_string(),
                    commodity,
                    exact,
                    cause: cause(config, books, &changed),
                    point,
                };
                (booked, line)
            })
            .collect())
    }
}

fn commodity_of(config: &Config, closed: Option<&ClosedPoint>, point: &PointId) -> Commodity {
    let registered = config.registry.points.get(point);
    closed
        .map(|closed| closed.commodity)
        .or_else(|| registered.map(|point| point.commodity))
        .unwrap_or(Commodity::Electricity)
}

/// Every adjustment of an institution's closed months, frozen and live, by the month on which it
/// stands.
pub async fn adjustments(
    config: &Config,
    source: &Source,
    books: &BooksView,
    institution: &InstitutionId,
) -> Result<Vec<AdjustmentEntry>, ReportError> {
    if !config.registry.institutions.contains_key(institution) {
        return Err(ReportError::UnknownInstitution(institution.to_string()));
    }
    let closes = Closes::of(&books.state, institution)?;
    let frozen = closes.frozen_lines();
    let live = closes.live(source, config, books, None).await?;
    let frozen = frozen
        .iter()
        .map(|(booked, line)| line.entry(config, *booked, false));
    let live = live
        .iter()
        .map(|(booked, line)| line.entry(config, *booked, true));
    let mut entries: Vec<AdjustmentEntry> = frozen.chain(live).collect();
    entries.sort_by(|a, b| (&a.booked, &a.month, &a.point).cmp(&(&b.booked, &b.month, &b.point)));
    Ok(entries)
}
