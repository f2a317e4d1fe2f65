//! The site of the measurement: 500 meters, some with few digits, a tariff and factors as shipped.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::{Config, FactorKind};
use steward_ledger::money::{DayPrices, Prices};
use steward_ledger::{Chain, LocalDay, Past, Rules};
use steward_model::{Commodity, PointId};

/// 2026-01-01 00:00 in Shanghai.
pub(crate) const START_MS: i64 = 1_767_196_800_000;
const METERS: usize = 500;
const ZONE: Tz = Tz::Asia__Shanghai;

/// The configuration and what is made of it once.
pub(crate) struct Site {
    config: Config,
    chains: HashMap<String, Chain>,
    prices: Prices,
    factors: HashMap<NaiveDate, (i64, i64)>,
    point: PointId,
}

impl Site {
    /// Writes the site as a person would and loads it.
    pub(crate) fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("steward-bulk-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(
            dir.join("steward.toml"),
            "[site]\nid = \"bulk\"\nname_zh = \"试验\"\nname_en = \"Bulk\"\n\
             [carbon]\ncoal_basis = \"calorific\"\n",
        )
        .unwrap();
        std::fs::write(dir.join("registry.toml"), registry()).unwrap();
        let config = steward_config::load(&dir, &|_| None);
        std::fs::remove_dir_all(&dir).unwrap();
        let config = config.unwrap_or_else(|errors| panic!("{errors}"));
        let past = Past::default();
        let points = config.registry.points.values();
        let chains = points
            .map(|point| {
                (
                    point.id.to_string(),
                    Chain::of(&config, point, &past).unwrap(),
                )
            })
            .collect();
        let institution = config.registry.institutions.values().next().unwrap();
        let resolve = |kind, date| {
            let factors = &config.factors;
            let found = factors.resolve(kind, Commodity::Electricity, institution, date);
            found.unwrap().unwrap().ug_per_base
        };
        let first = NaiveDate::from_ymd_opt(2026, 1, 1).unwrap();
        let days = first.iter_days().take(40);
        let factors = days
            .map(|date| {
                let kgce = resolve(FactorKind::CoalCalorific, date);
                (date, (kgce, resolve(FactorKind::Co2, date)))
            })
            .collect();
        Self {
            prices: Prices::of(&config),
            point: PointId::new("m0000").unwrap(),
            config,
            chains,
            factors,
        }
    }

    /// The chain of a meter's point; both have one name.
    pub(crate) fn chain(&self, meter: &str) -> &Chain {
        &self.chains[meter]
    }

    /// The rules of the kernel.
    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules::of(&self.config)
    }

    /// Micrograms of standard coal and of CO2 a Wh.
    pub(crate) fn factors(&self, date: NaiveDate) -> (i64, i64) {
        self.factors[&date]
    }

    /// The prices of a day; every point has the same account.
    pub(crate) fn prices(&self, day: &LocalDay) -> Arc<DayPrices> {
        self.prices.day(&self.config, &self.point, day, ZONE)
    }
}

fn registry() -> String {
    let mut text = String::from(
        "[[institution]]\nid = \"i\"\nname_zh = \"机关\"\nname_en = \"Office\"\n\
         province = \"浙江\"\nregion = \"华东\"\n\
         [[building]]\nid = \"b\"\ninstitution = \"i\"\nname_zh = \"楼\"\nname_en = \"House\"\n\
         zone = \"Asia/Shanghai\"\n\
         [[gateway]]\nid = \"broker\"\nkind = \"mqtt\"\nhost = \"127.0.0.1\"\nport = 1883\n\
         subscriptions = [{ pattern = \"t/{meter}\" }]\n",
    );
    let mut points = Vec::new();
    for number in 0..METERS {
        let id = format!("m{number:04}");
        let modulus = if number % 10 == 3 {
            10_000
        } else {
            1_000_000_000
        };
        write!(
            text,
            "[[point]]\nid = \"{id}\"\nbuilding = \"b\"\nname_zh = \"点\"\nname_en = \"Point\"\n\
             commodity = \"electricity\"\n\
             [[meter]]\nid = \"{id}\"\npoint = \"{id}\"\ngateway = \"broker\"\ndevice = \"{id}\"\n\
             profile = \"steward-json\"\nfrom = 2026-01-01\n\
             resolution = 0.001\nmodulus = {modulus}\nrise_max_per_h = 200\n"
        )
        .unwrap();
        points.push(format!("\"{id}\""));
    }
    write!(
        text,
        "[[account]]\nid = \"a\"\ninstitution = \"i\"\nnumber = \"1\"\nsupplier = \"S\"\n\
         commodity = \"electricity\"\ntariff = \"example-zj-tou-1-10kv\"\npoints = [{}]\n",
        points.join(", ")
    )
    .unwrap();
    text
}
