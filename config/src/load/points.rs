//! Points: `[[point]]`, the rows of `points.csv`, and `[[virtual_point]]`.

use chrono::NaiveDate;
use steward_model::{BuildingId, Commodity, Kind, PointId, Quantity};

use super::registry::RawRegistry;
use super::{dated, formulas};
use crate::error::{Located, Problem};
use crate::fields::Fields;
use crate::parse;
use crate::registry::{Dated, Formula, PointRole};
use crate::tree::Value;

const ROLES: [(&str, PointRole); 4] = [
    ("counted", PointRole::Counted),
    ("deducted", PointRole::Deducted),
    ("shared", PointRole::Shared),
    ("aside", PointRole::Aside),
];

/// What is sold and counted, by its word: everything but reactive energy.
pub(super) fn sold() -> Vec<(&'static str, Commodity)> {
    let all = Commodity::ALL.into_iter();
    all.filter(|commodity| *commodity != Commodity::ReactiveEnergy)
        .map(|commodity| (commodity.id(), commodity))
        .collect()
}

/// A point as written.
pub(super) struct RawPoint {
    pub(super) id: Located<PointId>,
    pub(super) building: Located<BuildingId>,
    pub(super) name_zh: String,
    pub(super) name_en: String,
    pub(super) commodity: Located<Commodity>,
    pub(super) subitem: Option<String>,
    pub(super) parent: Option<Located<PointId>>,
    pub(super) role: Located<PointRole>,
    pub(super) balance_tolerance: Option<f64>,
    pub(super) source: Source,
}

/// Where a point's amounts come from.
pub(super) enum Source {
    /// Meters, its own or another point's.
    Meters {
        counter: Option<Located<Quantity>>,
        metered_by: Option<Located<PointId>>,
    },
    /// A virtual point's own formulas.
    Formulas(Vec<Located<Dated<Formula>>>),
    /// A virtual point whose formulas are made by allocations.
    Allocated,
}

impl RawPoint {
    /// The counter that makes its ledger.
    pub(super) fn counter(&self) -> Quantity {
        match &self.source {
            Source::Meters {
                counter: Some(counter),
                ..
            } => counter.value,
            _ => self.commodity.value.counter(),
        }
    }

    /// Whose meters it reads, where it has none of its own.
    pub(super) fn metered_by(&self) -> Option<&Located<PointId>> {
        match &self.source {
            Source::Meters { metered_by, .. } => metered_by.as_ref(),
            _ => None,
        }
    }

    pub(super) fn is_virtual(&self) -> bool {
        !matches!(self.source, Source::Meters { .. })
    }
}

pub(super) fn read_metered(fields: &Fields<'_>, raw: &mut RawRegistry) {
    let source = Source::Meters {
        counter: fields.read("counter", counter),
        metered_by: fields.read("metered_by", parse::id(|text| PointId::new(text).ok())),
    };
    read(fields, raw, Some(source));
}

pub(super) fn read_virtual(fields: &Fields<'_>, raw: &mut RawRegistry) {
    let source = virtual_source(fields);
    read(fields, raw, source);
}

fn read(fields: &Fields<'_>, raw: &mut RawRegistry, source: Option<Source>) {
    let commodities = Commodity::ALL.map(|commodity| (commodity.id(), commodity));
    let id = fields.need("id", parse::id(|text| PointId::new(text).ok()));
    let building = fields.need("building", parse::id(|text| BuildingId::new(text).ok()));
    let commodity = fields.need("commodity", parse::one_of(&commodities));
    let name_zh = fields.need("name_zh", parse::text);
    let name_en = fields.need("name_en", parse::text);
    let subitem = fields.read("subitem", |value| {
        let text = parse::text(value)?;
        if text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(text);
        }
        Err(Problem::new("is no sub-item code").allowed("1 to 16 letters and digits, as 01A00"))
    });
    let parent = fields.read("parent", parse::id(|text| PointId::new(text).ok()));
    let role = fields.read("role", parse::one_of(&ROLES));
    let is_reactive = commodity
        .as_ref()
        .is_some_and(|one| one.value == Commodity::ReactiveEnergy);
    let role = role.unwrap_or_else(|| Located {
        value: match is_reactive {
            true => PointRole::Aside,
            false => PointRole::default(),
        },
        at: fields.at_of("role"),
    });
    if is_reactive && role.value != PointRole::Aside {
        let problem = Problem::new("has no meaning for reactive energy, which enters no total")
            .hint("leave it out, or write role = \"aside\"");
        fields.log().report(&role.at, problem);
    }
    let balance_tolerance = fields.read("balance_tolerance", parse::number(0.0..=1.0));
    fields.finish();
    raw.written.points.extend(id.clone());
    let point = (|| {
        Some(RawPoint {
            id: id?,
            building: building?,
            name_zh: name_zh?.value,
            name_en: name_en?.value,
            commodity: commodity?,
            subitem: subitem.map(|code| code.value),
            parent,
            role,
            balance_tolerance: balance_tolerance.map(|part| part.value),
            source: source?,
        })
    })();
    raw.points.extend(point);
}

fn counter(value: &Value) -> Result<Quantity, Problem> {
    let counters: Vec<(&'static str, Quantity)> = Quantity::ALL
        .iter()
        .filter(|quantity| quantity.kind() == Kind::Counter)
        .map(|quantity| (quantity.id(), *quantity))
        .collect();
    parse::one_of(&counters)(value)
}

/// What a virtual point is made of: `formula`, `formulas` or `allocated`.
fn virtual_source(fields: &Fields<'_>) -> Option<Source> {
    let is_allocated = fields.or("allocated", false, parse::boolean);
    let written = [
        ("formula", fields.has("formula")),
        ("formulas", fields.has("formulas")),
        ("allocated", is_allocated),
    ];
    let mut keys = written.iter().filter(|(_, is_there)| *is_there);
    let Some((key, _)) = keys.next() else {
        let hint = "or formulas = [{ from, formula }], or allocated = true".to_owned();
        if !fields.has("allocated") || fields.read_quietly("allocated", parse::boolean).is_some() {
            fields.missing("formula", Some(hint));
        }
        return None;
    };
    if let Some((second, _)) = keys.next() {
        let text = format!("stands beside {key}: a virtual point is made in one way");
        fields
            .log()
            .report(&fields.at_of(second), Problem::new(text));
        return None;
    }
    match *key {
        "formula" => {
            let formula = formula(fields)?;
            Some(Source::Formulas(vec![Located {
                at: formula.at,
                value: Dated {
                    from: dated::first_day(),
                    to: None,
                    value: formula.value,
                },
            }]))
        }
        "formulas" => dated_formulas(fields),
        _ => Some(Source::Allocated),
    }
}

/// A formula. What is wrong with it is told word by word, unless a word may be a secret.
fn formula(fields: &Fields<'_>) -> Option<Located<Formula>> {
    let is_hidden = fields.at_of("formula").is_from_environment();
    fields.need("formula", |value| {
        formulas::parse(value).map_err(|problem| match is_hidden {
            true => Problem::new("is no formula").allowed(formulas::FORM),
            false => problem,
        })
    })
}

fn dated_formulas(fields: &Fields<'_>) -> Option<Source> {
    let tables = fields.tables("formulas");
    let mut found = Vec::new();
    for table in &tables {
        let from = table.need("from", parse::date);
        let to: Option<NaiveDate> = table.read("to", parse::date).map(|to| to.value);
        let formula = formula(table);
        table.finish();
        if let (Some(from), Some(formula)) = (from, formula) {
            found.push(Located {
                at: formula.at,
                value: Dated {
                    from: from.value,
                    to,
                    value: formula.value,
                },
            });
        }
    }
    if tables.is_empty() {
        let problem = Problem::new("must name at least one formula");
        fields.log().report(&fields.at_of("formulas"), problem);
    }
    let is_whole = found.len() == tables.len() && !found.is_empty();
    let ordered = dated::in_order(fields.log(), found, "formula");
    is_whole.then_some(Source::Formulas(ordered))
}
