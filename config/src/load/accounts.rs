//! `[[account]]`: what a supplier invoices.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use steward_model::{InstitutionId, PointId, ProfileId};

use super::dated;
use super::points::RawPoint;
use super::references::{Ids, known, unique};
use super::registry::RawRegistry;
use crate::error::{At, Located, Log, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::registry::Dated;
use crate::tariff::{Account, DemandBasis, DemandCharge, Tariff};
use crate::tree::Value;

/// Tariffs by id.
pub(super) type TariffsById = BTreeMap<String, Tariff>;

/// An account as written.
pub(super) struct RawAccount {
    account: Located<Account>,
    institution: Located<InstitutionId>,
    number: At,
    commodity: At,
    points: Vec<Located<PointId>>,
    tariffs: Vec<Located<Dated<String>>>,
    demand: At,
}

#[derive(Clone, Copy)]
enum Demand {
    None,
    Maximum,
    Capacity,
}

pub(super) fn read(fields: &Fields<'_>) -> Option<RawAccount> {
    let commodities = super::points::sold();
    let id = fields.need("id", parse::id(account_id));
    let institution_id = parse::id(|text| InstitutionId::new(text).ok());
    let institution = fields.need("institution", institution_id);
    let number = fields.need("number", parse::text);
    let supplier = fields.need("supplier", parse::text);
    let commodity = fields.need("commodity", parse::one_of(&commodities));
    let points = fields.need("points", written_points);
    let points = points.filter(|points| {
        if points.value.is_empty() {
            let problem = Problem::new("must name at least one point");
            fields.log().report(&points.at, problem);
        }
        !points.value.is_empty()
    });
    let tariffs = tariffs(fields);
    let demand = demand(fields);
    fields.finish();
    let (id, number, commodity, points) = (id?, number?, commodity?, points?);
    let institution = institution?;
    Some(RawAccount {
        account: Located {
            at: id.at,
            value: Account {
                id: id.value,
                institution: institution.value.clone(),
                number: number.value,
                supplier: supplier?.value,
                commodity: commodity.value,
                points: points.value.iter().map(|(.., id)| id.clone()).collect(),
                tariffs: Vec::new(),
                demand: demand?,
            },
        },
        institution,
        number: number.at,
        commodity: commodity.at,
        points: located(&points),
        tariffs: tariffs?,
        demand: fields.at_of("demand"),
    })
}

/// A point of a list: its line, what is written there, and its id.
type WrittenPoint = (usize, Option<String>, PointId);

fn written_points(value: &Value) -> Result<Vec<WrittenPoint>, Problem> {
    let Value::List(items) = value else {
        return Err(Problem::new("must be a list in brackets"));
    };
    let id = parse::id(|text| PointId::new(text).ok());
    items
        .iter()
        .filter(|item| !matches!(item.value, Value::Broken))
        .map(|item| Ok((item.line, item.shown.clone(), id(&item.value)?)))
        .collect()
}

fn located(points: &Located<Vec<WrittenPoint>>) -> Vec<Located<PointId>> {
    let items = points.value.iter();
    items
        .map(|(line, shown, id)| Located {
            value: id.clone(),
            at: At {
                line: *line,
                shown: shown.clone(),
                ..points.at.clone()
            },
        })
        .collect()
}

fn account_id(text: &str) -> Option<String> {
    ProfileId::new(text).ok().map(|id| id.to_string())
}

/// `tariff = "…"`, or `tariffs = [{ from, to, tariff }]`.
fn tariffs(fields: &Fields<'_>) -> Option<Vec<Located<Dated<String>>>> {
    let single = fields.read("tariff", parse::text);
    let tables = fields.tables("tariffs");
    if fields.has("tariff") {
        if fields.has("tariffs") {
            let problem = Problem::new("stands beside tariff: write one of the two");
            fields.log().report(&fields.at_of("tariffs"), problem);
            return None;
        }
        let single = single?;
        return Some(vec![Located {
            at: single.at,
            value: Dated {
                from: dated::first_day(),
                to: None,
                value: single.value,
            },
        }]);
    }
    if tables.is_empty() {
        let hint = "or tariffs = [{ from, tariff }]".to_owned();
        fields.missing("tariff", Some(hint));
        return None;
    }
    let mut found = Vec::new();
    for table in &tables {
        let from = table.need("from", parse::date);
        let to = table.read("to", parse::date).map(|to| to.value);
        let tariff = table.need("tariff", parse::text);
        table.finish();
        if let (Some(from), Some(tariff)) = (from, tariff) {
            found.push(Located {
                at: tariff.at,
                value: Dated {
                    from: from.value,
                    to,
                    value: tariff.value,
                },
            });
        }
    }
    let is_whole = found.len() == tables.len();
    let ordered = dated::in_order(fields.log(), found, "tariff");
    dated::without_holes(fields.log(), &ordered, "tariff");
    is_whole.then_some(ordered)
}

fn demand(fields: &Fields<'_>) -> Option<DemandBasis> {
    let words = [
        ("none", Demand::None),
        ("maximum", Demand::Maximum),
        ("capacity", Demand::Capacity),
    ];
    let basis = fields.read("demand", parse::one_of(&words));
    let has_capacity = fields.has("capacity_kva");
    let capacity = fields.read("capacity_kva", |value| {
        let capacity = parse::decimal_from_zero(value)?;
        match capacity == Decimal::ZERO {
            true => Err(Problem::new("must be more than 0")),
            false => Ok(capacity),
        }
    });
    let basis = match (basis, fields.has("demand")) {
        (Some(basis), _) => basis.value,
        (None, false) => Demand::None,
        (None, true) => return None,
    };
    match basis {
        Demand::Capacity => {
            if !has_capacity {
                let hint = "demand = \"capacity\" is paid by it".to_owned();
                fields.missing("capacity_kva", Some(hint));
            }
            Some(DemandBasis::Capacity(capacity?.value))
        }
        Demand::None | Demand::Maximum => {
            if has_capacity {
                let problem = Problem::new("has no meaning without demand = \"capacity\"");
                fields.log().report(&fields.at_of("capacity_kva"), problem);
            }
            Some(match basis {
                Demand::Maximum => DemandBasis::MaximumDemand,
                _ => DemandBasis::None,
            })
        }
    }
}

/// Judges all accounts.
pub(super) fn check(
    log: &Log,
    raw: &RawRegistry,
    tariffs: &TariffsById,
    ids: &Ids<'_>,
) -> BTreeMap<String, Account> {
    let points: BTreeMap<&PointId, &RawPoint> = raw
        .points
        .iter()
        .map(|point| (&point.id.value, point))
        .collect();
    let written: Vec<Located<String>> = raw
        .accounts
        .iter()
        .map(|one| Located {
            value: one.account.value.id.clone(),
            at: one.account.at.clone(),
        })
        .collect();
    unique(log, "account", &written);
    numbers(log, &raw.accounts);
    stand_apart(log, &raw.accounts, &points);
    let mut accounts = BTreeMap::new();
    for one in &raw.accounts {
        known(log, "institution", &one.institution, &ids.institutions);
        let account = &one.account.value;
        for point in &one.points {
            sells(log, one, point, &points, ids);
        }
        for tariff in &one.tariffs {
            applies(log, one, tariff, tariffs);
        }
        let dated = one.tariffs.iter().map(|one| one.value.clone());
        let account = Account {
            tariffs: dated.collect(),
            ..account.clone()
        };
        accounts.insert(account.id.clone(), account);
    }
    accounts
}

/// One number of one supplier is one account.
fn numbers(log: &Log, accounts: &[RawAccount]) {
    let mut first: BTreeMap<(&str, &str), &RawAccount> = BTreeMap::new();
    for one in accounts {
        let account = &one.account.value;
        let key = (account.supplier.as_str(), account.number.as_str());
        if let Some(other) = first.insert(key, one) {
            let text = format!("account {} has it too", other.account.value.id);
            let hint = format!("that one stands at {}", other.number.place());
            log.report(&one.number, Problem::new(text).hint(hint));
        }
    }
}

fn sells(
    log: &Log,
    one: &RawAccount,
    point: &Located<PointId>,
    points: &BTreeMap<&PointId, &RawPoint>,
    ids: &Ids<'_>,
) {
    if !known(log, "point", point, &ids.points) {
        return;
    }
    let sold = one.account.value.commodity;
    if let Some(known) = points.get(&point.value)
        && known.commodity.value != sold
    {
        let text = format!(
            "meters {}, but the account is for {sold}",
            known.commodity.value
        );
        let hint = format!("the commodity stands at {}", one.commodity.place());
        log.report(&point.at, Problem::new(text).hint(hint));
    }
}

/// A tariff that exists, sells the same, and charges power as the account says.
fn applies(log: &Log, one: &RawAccount, dated: &Located<Dated<String>>, tariffs: &TariffsById) {
    let id = &dated.value.value;
    let Some(tariff) = tariffs.get(id) else {
        let problem = Problem::new("no tariff has this id");
        let names = tariffs.keys().map(String::as_str);
        log.report(&dated.at, problem.nearest(id, names));
        return;
    };
    let account = &one.account.value;
    if tariff.commodity != account.commodity {
        let text = format!(
            "is for {}, but the account is for {}",
            tariff.commodity, account.commodity
        );
        log.report(&dated.at, Problem::new(text));
        return;
    }
    let span = (dated.value.from, dated.value.to);
    let held: Vec<_> = tariff
        .versions
        .iter()
        .filter(|version| dated::overlap(span, (version.from, version.to)))
        .collect();
    if held.is_empty() {
        let first = tariff.versions.first().map(|version| version.from);
        let text = format!(
            "has no version between {} and {}",
            span.0,
            span.1
                .map_or("today".to_owned(), |to: NaiveDate| to.to_string())
        );
        let hint = first.map_or(String::new(), |first| format!("the first begins {first}"));
        log.report(&dated.at, Problem::new(text).hint(hint));
    }
    for version in held {
        if let Some(text) = unfit(account.demand, version.demand.as_ref()) {
            let problem = Problem::new(format!("{} {text}", version.name(tariff)));
            log.report(&one.demand, problem);
        }
    }
}

fn unfit(basis: DemandBasis, charge: Option<&DemandCharge>) -> Option<&'static str> {
    match (basis, charge) {
        (DemandBasis::None, None) => None,
        (DemandBasis::None, Some(_)) => {
            Some("charges power: demand must be \"maximum\" or \"capacity\"")
        }
        (DemandBasis::MaximumDemand, charge) => charge
            .and_then(|charge| charge.cny_per_kw_month)
            .is_none()
            .then_some("has no price per kW of maximum demand"),
        (DemandBasis::Capacity(_), charge) => charge
            .and_then(|charge| charge.cny_per_kva_month)
            .is_none()
            .then_some("has no price per kVA of capacity"),
    }
}

/// No amount is invoiced twice: a point stands in one account, and nothing below it in any.
fn stand_apart(log: &Log, accounts: &[RawAccount], points: &BTreeMap<&PointId, &RawPoint>) {
    let mut owners: BTreeMap<&PointId, &RawAccount> = BTreeMap::new();
    for one in accounts {
        for point in &one.points {
            if let Some(other) = owners.insert(&point.value, one) {
                let text = format!("stands in account {} already", other.account.value.id);
                let hint = format!("that one stands at {}", other.account.at.place());
                log.report(&point.at, Problem::new(text).hint(hint));
            }
        }
    }
    for one in accounts {
        for point in &one.points {
            let mut seen: BTreeSet<&PointId> = BTreeSet::from([&point.value]);
            let mut below = &point.value;
            while let Some(parent) = points.get(below).and_then(|point| point.parent.as_ref()) {
                if !seen.insert(&parent.value) {
                    break;
                }
                if let Some(other) = owners.get(&parent.value) {
                    let text = format!(
                        "is below {}, which account {} contains",
                        parent.value, other.account.value.id
                    );
                    let problem = Problem::new(text).hint("its amount would be invoiced twice");
                    log.report(&point.at, problem);
                    break;
                }
                below = &parent.value;
            }
        }
    }
}
