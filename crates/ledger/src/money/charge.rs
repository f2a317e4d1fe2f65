//! The lines of one stretch of a bill.

use rust_decimal::{Decimal, RoundingStrategy};
use steward_config::tariff::TierStep;
use steward_config::{Account, Band, DemandBasis, Price, TariffVersion};
use steward_model::{BaseUnit, Commodity};

use super::bill::{BillLine, LineKind, RunningAmounts, Unknown};
use super::demand::max_demand;
use super::stretch::{Cycle, Stretch};

/// Nano-yuan in a cent.
const NCNY_PER_CENT: i128 = 10_000_000;

/// What the lines of all stretches share.
pub(super) struct Charger<'a> {
    pub(super) account: &'a Account,
    pub(super) power_factor: Option<Decimal>,
}

/// A price for a part of a month.
struct Monthly {
    kind: LineKind,
    names: (&'static str, &'static str),
    quantity: Option<Decimal>,
    unit: &'static str,
    price: Option<Decimal>,
    unknown: Unknown,
}

impl Charger<'_> {
    /// Appends the lines of a stretch; `taken` is what was taken before it.
    pub(super) fn charge(
        &self,
        stretch: &Stretch<'_>,
        cycle: &Cycle,
        taken: &RunningAmounts,
        lines: &mut Vec<BillLine>,
    ) {
        let first = lines.len();
        // Days without a tariff lack their monthly charges too, even if nothing was taken.
        let untariffed = stretch.terms.is_none().then_some(0);
        if let Some(amount) = stretch.unpriced_base.or(untariffed) {
            lines.push(BillLine {
                quantity: self.quantity(amount),
                unknown: Some(Unknown::Price),
                ..self.line(stretch, LineKind::Unpriced, ("无价用量", "Without a price"))
            });
        }
        let Some((_, version)) = stretch.terms else {
            return;
        };
        self.energy(stretch, version, lines);
        for one in &version.surcharges {
            let names = (one.name_zh.as_str(), one.name_en.as_str());
            let line = self.line(stretch, LineKind::Surcharge, names);
            lines.push(self.priced(line, stretch.priced_base(), one.price));
        }
        self.tiers(stretch, version, taken, lines);
        self.demand(stretch, version, cycle, lines);
        self.power_factor(stretch, version, first, lines);
        if !version.fixed_cny_month.is_zero() {
            let fixed = Monthly {
                kind: LineKind::Fixed,
                names: ("固定费用", "Fixed charge"),
                quantity: Some(Decimal::ONE),
                unit: "month",
                price: Some(version.fixed_cny_month),
                unknown: Unknown::Price,
            };
            lines.push(self.monthly(stretch, cycle, fixed));
        }
    }

    fn energy(&self, stretch: &Stretch<'_>, version: &TariffVersion, lines: &mut Vec<BillLine>) {
        let commodity = self.account.commodity;
        // A tariff without time of use has one band, which nobody calls by its name.
        let by_time = version.energy.len() > 1;
        for (band, amount) in &stretch.by_band {
            let Some(price) = version.energy.get(band) else {
                continue;
            };
            let (zh, en) = energy_names(commodity, by_time.then_some(*band));
            let line = self.line(stretch, LineKind::Energy(*band), (&zh, &en));
            lines.push(self.priced(line, *amount, *price));
        }
    }

    fn tiers(
        &self,
        stretch: &Stretch<'_>,
        version: &TariffVersion,
        taken: &RunningAmounts,
        lines: &mut Vec<BillLine>,
    ) {
        let Some(tiers) = &version.tiers else {
            return;
        };
        let first_step = if tiers.steps.first().is_some_and(|one| one.from_base == 0) {
            1
        } else {
            2
        };
        let before = if tiers.yearly {
            taken.year_base
        } else {
            Some(taken.month_base)
        };
        let Some(before) = before else {
            let names = ("年阶梯加价", "Yearly tiers");
            lines.push(BillLine {
                unknown: Some(Unknown::YearBefore),
                ..self.line(stretch, LineKind::Tier(first_step), names)
            });
            return;
        };
        let after = before + stretch.amount_base();
        for (index, step) in tiers.steps.iter().enumerate() {
            let end = tiers.steps.get(index + 1).map(|next| next.from_base);
            let within = within_step(step, end, before, after);
            if within == 0 || step.extra.ncny_per_base == 0 {
                continue;
            }
            let number = first_step + index;
            let names = (
                format!("第{number}档加价"),
                format!("Tier {number}, added price"),
            );
            let line = self.line(stretch, LineKind::Tier(number), (&names.0, &names.1));
            lines.push(self.priced(line, within, step.extra));
        }
    }

    fn demand(
        &self,
        stretch: &Stretch<'_>,
        version: &TariffVersion,
        cycle: &Cycle,
        lines: &mut Vec<BillLine>,
    ) {
        let charge = version.demand;
        let monthly = match self.account.demand {
            DemandBasis::None => return,
            DemandBasis::MaximumDemand => {
                let window_min = charge.map_or(15, |charge| charge.window_min);
                let electric = self.account.commodity.base_unit() == BaseUnit::WattHour;
                let most = electric
                    .then(|| max_demand(&cycle.intervals, window_min))
                    .flatten();
                Monthly {
                    kind: LineKind::Demand,
                    names: ("最大需量电费", "Maximum demand charge"),
                    quantity: most.map(|most| most.kw),
                    unit: "kW",
                    price: charge.and_then(|charge| charge.cny_per_kw_month),
                    unknown: Unknown::Demand,
                }
            }
            DemandBasis::Capacity(kva) => Monthly {
                kind: LineKind::Capacity,
                names: ("变压器容量电费", "Transformer capacity charge"),
                quantity: Some(kva),
                unit: "kVA",
                price: charge.and_then(|charge| charge.cny_per_kva_month),
                unknown: Unknown::Price,
            },
        };
        lines.push(self.monthly(stretch, cycle, monthly));
    }

    fn power_factor(
        &self,
        stretch: &Stretch<'_>,
        version: &TariffVersion,
        first: usize,
        lines: &mut Vec<BillLine>,
    ) {
        let Some(rule) = &version.power_factor else {
            return;
        };
        let adjusted = lines
            .get(first..)
            .unwrap_or(&[])
            .iter()
            .filter(|line| line.kind.is_adjusted() || line.kind == LineKind::Unpriced);
        let base: Option<Decimal> = adjusted.map(|line| line.sum_cny).sum();
        let share = self.power_factor.and_then(|is| {
            let row = rule.table.iter().find(|(lowest, _)| is >= *lowest);
            row.map(|(_, share)| *share)
        });
        let unknown = match (base, share) {
            (_, None) => Some(Unknown::PowerFactor),
            (None, _) => Some(Unknown::Base),
            _ => None,
        };
        let sum = base
            .zip(share)
            .and_then(|(base, share)| base.checked_mul(share));
        let names = ("功率因数调整电费", "Power-factor adjustment");
        lines.push(BillLine {
            quantity: base,
            unit: "CNY",
            price: share,
            sum_cny: sum.map(to_cents),
            unknown: unknown.or(sum.is_none().then_some(Unknown::Range)),
            ..self.line(stretch, LineKind::PowerFactor, names)
        });
    }

    /// A price a month for the days of a stretch: one multiplication, one division, one rounding.
    fn monthly(&self, stretch: &Stretch<'_>, cycle: &Cycle, monthly: Monthly) -> BillLine {
        let days = (stretch.days(), cycle.days_whole);
        let whole = monthly.quantity.zip(monthly.price);
        let sum = whole.and_then(|(quantity, price)| {
            let month = quantity.checked_mul(price)?;
            month
                .checked_mul(Decimal::from(days.0))?
                .checked_div(Decimal::from(days.1))
        });
        let unknown = match (monthly.quantity, monthly.price) {
            (None, _) => Some(monthly.unknown),
            (_, None) => Some(Unknown::Price),
            _ => sum.is_none().then_some(Unknown::Range),
        };
        BillLine {
            quantity: monthly.quantity,
            unit: monthly.unit,
            price: monthly.price,
            days: Some(days),
            sum_cny: sum.map(to_cents),
            unknown,
            ..self.line(stretch, monthly.kind, monthly.names)
        }
    }

    /// A line of an amount in base units at a price, from exact integers.
    fn priced(&self, line: BillLine, amount_base: i128, price: Price) -> BillLine {
        let ncny = amount_base.checked_mul(i128::from(price.ncny_per_base));
        let sum = ncny.and_then(cents_of);
        BillLine {
            quantity: self.quantity(amount_base),
            price: Some(price.cny),
            sum_cny: sum,
            unknown: sum.is_none().then_some(Unknown::Range),
            ..line
        }
    }

    fn quantity(&self, amount_base: i128) -> Option<Decimal> {
        let scale = self.account.commodity.base_per_unit().ilog10();
        Decimal::try_from_i128_with_scale(amount_base, scale).ok()
    }

    fn line(&self, stretch: &Stretch<'_>, kind: LineKind, names: (&str, &str)) -> BillLine {
        let named =
            |(tariff, version): (&steward_config::Tariff, &TariffVersion)| version.name(tariff);
        BillLine {
            kind,
            name_zh: names.0.to_owned(),
            name_en: names.1.to_owned(),
            from: stretch.from,
            to: stretch.to,
            tariff: stretch.terms.map(named).unwrap_or_default(),
            quantity: None,
            unit: self.account.commodity.unit(),
            price: None,
            days: None,
            sum_cny: None,
            unknown: None,
        }
    }
}

/// What of the amounts from `before` to `after` lies within a step.
fn within_step(step: &TierStep, end: Option<i64>, before: i128, after: i128) -> i128 {
    let from = before.max(i128::from(step.from_base));
    let to = end.map_or(after, |end| after.min(i128::from(end)));
    (to - from).max(0)
}

fn energy_names(commodity: Commodity, band: Option<Band>) -> (String, String) {
    let (zh, en) = (commodity.name_zh(), commodity.name_en());
    match band {
        Some(band) => (
            format!("{zh}费（{}）", band.name_zh()),
            format!("{en}, {}", band.name_en()),
        ),
        None => (format!("{zh}费"), en.to_owned()),
    }
}

/// Nano-yuan as yuan, rounded to 0.01, halves away from zero.
fn cents_of(ncny: i128) -> Option<Decimal> {
    let half = if ncny < 0 {
        -NCNY_PER_CENT / 2
    } else {
        NCNY_PER_CENT / 2
    };
    Decimal::try_from_i128_with_scale(ncny.checked_add(half)? / NCNY_PER_CENT, 2).ok()
}

fn to_cents(cny: Decimal) -> Decimal {
    let mut rounded = cny.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(2);
    rounded
}
