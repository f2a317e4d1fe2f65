//! Parameters of a request: all are known, each is given once, each has a value that it can have.

use axum::extract::Query;
use axum::http::Uri;
use steward_config::{Account, Config};
use steward_model::{BuildingId, Commodity, InstitutionId, MeterId, PointId, Quantity, Span};
use steward_report::{By, Month, Scope};

use crate::problem::Problem;

/// Longer values are no ids, times or words of ours.
const VALUE_BYTES_MAX: usize = 128;

/// The parameters of a request.
#[derive(Debug)]
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl Params {
    /// Takes the query of `uri` apart and refuses what is not in `known`.
    pub(crate) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
            .map_err(|_| Problem::parameter("?", "the query is not percent-encoded UTF-8"))?;
        for (index, (name, value)) in pairs.iter().enumerate() {
            let shown: String = name.chars().take(VALUE_BYTES_MAX).collect();
            if !known.contains(&name.as_str()) {
                let detail = format!("this address knows no parameter `{shown}`");
                return Err(Problem::parameter(&shown, detail).allow(known.iter().copied()));
            }
            if pairs.iter().take(index).any(|(other, _)| other == name) {
                return Err(Problem::parameter(
                    &shown,
                    format!("`{shown}` is given twice"),
                ));
            }
            if value.len() > VALUE_BYTES_MAX {
                let detail = format!("the value is longer than {VALUE_BYTES_MAX} bytes");
                return Err(Problem::parameter(&shown, detail));
            }
        }
        Ok(Self { pairs })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.pairs.iter().find(|(known, _)| known == name);
        pair.map(|(_, value)| value.as_str())
    }

    /// A value that `parse` takes; `allowed` are shown when it does not.
    pub(crate) fn word<T>(
        &self,
        name: &str,
        allowed: &[&'static str],
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let refused = || {
            let detail = format!("`{value}` is no value of `{name}`");
            Problem::parameter(name, detail).allow(allowed.iter().copied())
        };
        parse(value).map(Some).ok_or_else(refused)
    }

    pub(crate) fn commodity(&self) -> Result<Commodity, Problem> {
        let commodity = self.commodity_if_any()?;
        commodity.ok_or_else(|| missing("commodity").allow(Commodity::ALL.map(Commodity::id)))
    }

    pub(crate) fn commodity_if_any(&self) -> Result<Option<Commodity>, Problem> {
        let allowed = Commodity::ALL.map(Commodity::id);
        self.word("commodity", &allowed, Commodity::from_id)
    }

    pub(crate) fn span(&self) -> Result<Span, Problem> {
        let span = self.word("span", &Span::ALL.map(Span::id), Span::from_id)?;
        Ok(span.unwrap_or(Span::Day))
    }

    pub(crate) fn quantity(&self) -> Result<Quantity, Problem> {
        let allowed: Vec<&'static str> =
            Quantity::ALL.iter().map(|quantity| quantity.id()).collect();
        let quantity = self.word("quantity", &allowed, |text| text.parse().ok())?;
        quantity.ok_or_else(|| missing("quantity").allow(allowed))
    }

    pub(crate) fn number(&self, name: &str, from: u32, to: u32) -> Result<Option<u32>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number: Option<u32> = value.parse().ok();
        let refused = || {
            let detail = format!("`{value}` is no whole number from {from} to {to}");
            Problem::parameter(name, detail).allow([format!("{from}..{to}")])
        };
        number
            .filter(|number| (from..=to).contains(number))
            .map(Some)
            .ok_or_else(refused)
    }

    /// An id of the form of ids; whether it exists is the caller's question.
    pub(crate) fn id<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T::Err: std::fmt::Display,
    {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|error| Problem::parameter(name, format!("{error}")))
    }

    /// An institution that exists.
    pub(crate) fn institution(&self, config: &Config) -> Result<Option<InstitutionId>, Problem> {
        let id: Option<InstitutionId> = self.id("institution")?;
        known(id, "institution", |id| {
            config.registry.institutions.contains_key(id)
        })
    }

    /// A building that exists.
    pub(crate) fn building(&self, config: &Config) -> Result<Option<BuildingId>, Problem> {
        let id: Option<BuildingId> = self.id("building")?;
        known(id, "building", |id| {
            config.registry.buildings.contains_key(id)
        })
    }

    /// A point that exists.
    pub(crate) fn point(&self, config: &Config) -> Result<Option<PointId>, Problem> {
        let id: Option<PointId> = self.id("point")?;
        known(id, "point", |id| config.registry.points.contains_key(id))
    }

    /// A meter that exists.
    pub(crate) fn meter(&self, config: &Config) -> Result<Option<MeterId>, Problem> {
        let id: Option<MeterId> = self.id("meter")?;
        known(id, "meter", |id| config.registry.meters.contains_key(id))
    }

    /// An account that exists.
    pub(crate) fn account<'a>(&self, config: &'a Config) -> Result<Option<&'a Account>, Problem> {
        let Some(id) = self.get("account") else {
            return Ok(None);
        };
        let account = config.tariffs.accounts.get(id);
        let refused = || Problem::unknown_in_books("account", "account", id, "tariffs");
        account.map(Some).ok_or_else(refused)
    }

    /// A local month.
    pub(crate) fn month(&self) -> Result<Option<Month>, Problem> {
        let month = self.get("month").map(str::parse::<Month>);
        Ok(month.transpose()?)
    }

    /// A running number of the books.
    pub(crate) fn seq(&self, name: &str) -> Result<Option<u64>, Problem> {
        self.get(name).map(|text| seq(name, text)).transpose()
    }

    /// A scope that exists; the whole site where none is named.
    pub(crate) fn scope(&self, config: &Config) -> Result<Scope, Problem> {
        let forms = ["all", "institution:ID", "building:ID", "point:ID"];
        let text = self.get("scope").unwrap_or("all");
        if text == "all" {
            return Ok(Scope::All);
        }
        let refused = |detail: String| Problem::parameter("scope", detail).allow(forms);
        let (kind, id) = text
            .split_once(':')
            .ok_or_else(|| refused(format!("`{text}` is no scope")))?;
        let registry = &config.registry;
        let invalid = |error: steward_model::InvalidId| refused(error.to_string());
        let (scope, exists) = match kind {
            "institution" => {
                let id = InstitutionId::new(id).map_err(invalid)?;
                let exists = registry.institutions.contains_key(&id);
                (Scope::Institution(id), exists)
            }
            "building" => {
                let id = BuildingId::new(id).map_err(invalid)?;
                let exists = registry.buildings.contains_key(&id);
                (Scope::Building(id), exists)
            }
            "point" => {
                let id = PointId::new(id).map_err(invalid)?;
                let exists = registry.points.contains_key(&id);
                (Scope::Point(id), exists)
            }
            _ => return Err(refused(format!("`{text}` is no scope"))),
        };
        if exists {
            Ok(scope)
        } else {
            Err(Problem::unknown("scope", kind, id))
        }
    }

    /// How a scope is taken apart, where it can be.
    pub(crate) fn by(&self, scope: &Scope) -> Result<Option<By>, Problem> {
        let allowed: Vec<&'static str> = By::ALL
            .into_iter()
            .filter(|by| match scope {
                Scope::All => true,
                Scope::Institution(_) => *by != By::Institution,
                Scope::Building(_) | Scope::Point(_) => matches!(by, By::Point | By::Subitem),
            })
            .map(By::id)
            .collect();
        self.word("by", &allowed, |text| {
            By::from_id(text).filter(|by| allowed.contains(&by.id()))
        })
    }
}

fn known<T: std::fmt::Display>(
    id: Option<T>,
    name: &str,
    exists: impl Fn(&T) -> bool,
) -> Result<Option<T>, Problem> {
    match id {
        Some(id) if !exists(&id) => Err(Problem::unknown(name, name, &id.to_string())),
        id => Ok(id),
    }
}

/// 400: a parameter that must be there is not.
pub(crate) fn missing(name: &str) -> Problem {
    Problem::parameter(name, format!("`{name}` is missing"))
}

/// A running number of the books: whole, from 1.
pub(crate) fn seq(name: &str, text: &str) -> Result<u64, Problem> {
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text
        .parse::<i64>()
        .ok()
        .filter(|number| is_whole && *number > 0);
    number.map(i64::unsigned_abs).ok_or_else(|| {
        let shown: String = text.chars().take(VALUE_BYTES_MAX).collect();
        Problem::parameter(name, format!("`{shown}` is no number of the books"))
            .hint("numbers of the books are whole and begin with 1")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_of_the_books_begin_with_one() {
        assert_eq!(seq("seq", "12").unwrap(), 12);
        for bad in ["", "0", "-1", "+1", "1.0", "x", "9999999999999999999"] {
            assert_eq!(seq("seq", bad).unwrap_err().status, 400, "{bad}");
        }
    }
}
