//! Reading InfluxDB: the same questions and the same answers as the working store.
//!
//! Flux is narrow and without pivot: a field is a row of the answer, and rows are put together
//! here. The only texts in it are ids, whose form is safe, and names of buckets, which are checked.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use steward_config::InfluxSettings;
use steward_model::{
    LedgerRow, MeterId, PointId, Quantity, Reading, ReadingQuality, Shares, Span, UtcMs, Value,
};

use super::InfluxError;
use super::client::{InfluxClient, Timeouts, rfc3339, safe_name};
use super::csv::Record;
use super::tags::UG_PER_KG;
use crate::StoreError;

/// Ids in one query: the filter of a hundred is planned in a moment.
const IDS_MAX: usize = 100;

/// Reads readings and ledger from InfluxDB.
#[derive(Clone, Debug)]
pub struct InfluxReader {
    client: InfluxClient,
    bucket_readings: String,
    bucket_ledger: String,
}

/// The fields of one reading on their way.
#[derive(Clone, Copy, Debug, Default)]
struct ReadingParts {
    value: Option<f64>,
    quality: Option<f64>,
}

/// The fields of one ledger row on their way.
#[derive(Clone, Debug, Default)]
struct RowParts {
    numbers: BTreeMap<String, f64>,
    cost_ncny: Option<i64>,
    factor_set: String,
    tariff_set: String,
}

impl InfluxReader {
    /// A reader with the settings of `[influx]`.
    pub fn new(settings: &InfluxSettings) -> Result<Self, InfluxError> {
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(60),
        };
        Ok(Self {
            client: InfluxClient::new(settings, timeouts)?,
            bucket_readings: safe_name(&settings.bucket_readings)?,
            bucket_ledger: safe_name(&settings.bucket_ledger)?,
        })
    }

    /// Readings of a series in `[from, to)`, ascending, at most `limit`.
    pub async fn readings(
        &self,
        meter: &MeterId,
        quantity: Quantity,
        from: UtcMs,
        to: UtcMs,
        limit: usize,
    ) -> Result<Vec<Reading>, StoreError> {
        if from >= to || limit == 0 {
            return Ok(Vec::new());
        }
        let limit_text = match i64::try_from(limit) {
            Ok(limit) => format!(" |> limit(n: {limit})"),
            Err(_) => String::new(),
        };
        let flux = format!(
            "from(bucket: \"{}\") |> range(start: {}, stop: {}) |> filter(fn: (r) => \
             r._measurement == \"reading\" and r.meter == \"{meter}\" and \
             r.quantity == \"{quantity}\"){limit_text} \
             |> keep(columns: [\"_time\", \"_field\", \"_value\", \"meter\", \"quantity\"])",
            self.bucket_readings,
            rfc3339(from.0),
            rfc3339(to.0),
        );
        let mut readings: Vec<Reading> = self.read(&flux).await?.collect::<Result<_, _>>()?;
        readings.sort_by_key(|reading| reading.at);
        readings.truncate(limit);
        Ok(readings)
    }

    /// The last reading of every quantity of these meters, by meter as asked and quantity.
    pub async fn latest(&self, meters: &[MeterId]) -> Result<Vec<Reading>, StoreError> {
        let mut latest: BTreeMap<(MeterId, Quantity), Reading> = BTreeMap::new();
        for some in meters.chunks(IDS_MAX) {
            let flux = format!(
                "from(bucket: \"{}\") |> range(start: {}) |> filter(fn: (r) => \
                 r._measurement == \"reading\" and ({})) |> last() \
                 |> keep(columns: [\"_time\", \"_field\", \"_value\", \"meter\", \"quantity\"])",
                self.bucket_readings,
                rfc3339(0),
                any_of("meter", some.iter().map(MeterId::as_str)),
            );
            for reading in self.read(&flux).await? {
                let reading = reading?;
                let key = (reading.meter.clone(), reading.quantity);
                match latest.get(&key) {
                    Some(known) if known.at >= reading.at => {}
                    _ => drop(latest.insert(key, reading)),
                }
            }
        }
        Ok(meters
            .iter()
            .flat_map(|meter| {
                let of_meter = |key: &&(MeterId, Quantity)| key.0 == *meter;
                let keys: Vec<_> = latest.keys().filter(of_meter).cloned().collect();
                keys.into_iter()
                    .filter_map(|key| latest.get(&key).cloned())
                    .collect::<Vec<_>>()
            })
            .collect())
    }

    /// Ledger rows with `from_s <= start_s < to_s`, ordered by (start, point).
    pub async fn ledger(
        &self,
        points: &[PointId],
        span: Span,
        from_s: i64,
        to_s: i64,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        if from_s >= to_s {
            return Ok(Vec::new());
        }
        let mut parts: BTreeMap<(i64, PointId), RowParts> = BTreeMap::new();
        for some in points.chunks(IDS_MAX) {
            let flux = format!(
                "from(bucket: \"{}\") |> range(start: {}, stop: {}) |> filter(fn: (r) => \
                 r._measurement == \"energy\" and r.span == \"{}\" and r._field != \"amount\" and \
                 r._field != \"cost\" and ({})) |> keep(columns: [\"_time\", \"_field\", \"_value\", \"point\"])",
                self.bucket_ledger,
                rfc3339(from_s.saturating_mul(1_000)),
                rfc3339(to_s.saturating_mul(1_000)),
                span.id(),
                any_of("point", some.iter().map(PointId::as_str)),
            );
            let mut each = |record: Record<'_>| {
                let key = (time_ms(&record)?.div_euclid(1_000), id(&record, "point")?);
                let row = parts.entry(key).or_default();
                match record.get("_field")? {
                    "factor_set" => record.get("_value")?.clone_into(&mut row.factor_set),
                    "tariff_set" => record.get("_value")?.clone_into(&mut row.tariff_set),
                    "cost_ncny" => row.cost_ncny = Some(number(&record)?),
                    field => {
                        row.numbers.insert(field.to_owned(), number(&record)?);
                    }
                }
                Ok(())
            };
            self.client.query(&flux, &mut each).await?;
        }
        parts
            .into_iter()
            .map(|((start_s, point), parts)| Ok(parts.into_row(point, span, start_s)?))
            .collect()
    }

    async fn read(
        &self,
        flux: &str,
    ) -> Result<impl Iterator<Item = Result<Reading, InfluxError>> + use<>, InfluxError> {
        type Key = (MeterId, Quantity, i64);
        let mut parts: BTreeMap<Key, ReadingParts> = BTreeMap::new();
        let mut each = |record: Record<'_>| {
            let quantity = record.get("quantity")?;
            let quantity = quantity
                .parse()
                .map_err(|_| InfluxError::Answer(format!("`{quantity}` is no quantity")))?;
            let key = (id(&record, "meter")?, quantity, time_ms(&record)?);
            let reading = parts.entry(key).or_default();
            match record.get("_field")? {
                "value" => reading.value = Some(number(&record)?),
                "quality" => reading.quality = Some(number(&record)?),
                _ => {}
            }
            Ok(())
        };
        self.client.query(flux, &mut each).await?;
        Ok(parts
            .into_iter()
            .map(|((meter, quantity, at), parts)| parts.into_reading(meter, quantity, UtcMs(at))))
    }
}

impl ReadingParts {
    fn into_reading(
        self,
        meter: MeterId,
        quantity: Quantity,
        at: UtcMs,
    ) -> Result<Reading, InfluxError> {
        let incomplete = || InfluxError::Answer(format!("a reading of `{meter}` is incomplete"));
        let value = self.value.and_then(|value| Value::new(value).ok());
        let quality = self.quality.and_then(|code| whole(code).ok());
        let quality = quality
            .and_then(|code| u8::try_from(code).ok())
            .and_then(ReadingQuality::from_code);
        Ok(Reading {
            value: value.ok_or_else(incomplete)?,
            quality: quality.ok_or_else(incomplete)?,
            meter,
            quantity,
            at,
        })
    }
}

impl RowParts {
    fn into_row(self, point: PointId, span: Span, start_s: i64) -> Result<LedgerRow, InfluxError> {
        let find = |field: &str| {
            self.numbers.get(field).copied().ok_or_else(|| {
                InfluxError::Answer(format!("a ledger row of `{point}` has no `{field}`"))
            })
        };
        let count = |field: &str| {
            u32::try_from(whole(find(field)?)?)
                .map_err(|_| InfluxError::Answer(format!("`{field}` is no count")))
        };
        let micrograms = |field: &str| {
            let kilograms = self.numbers.get(field);
            #[expect(clippy::cast_precision_loss, reason = "a power of ten below 2^53")]
            kilograms
                .map(|kilograms| whole((kilograms * UG_PER_KG as f64).round()))
                .transpose()
        };
        Ok(LedgerRow {
            span,
            start_s,
            amount_base: whole(find("amount_base")?)?,
            shares: Shares {
                measured_base: whole(find("measured")?)?,
                interpolated_base: whole(find("interpolated")?)?,
                estimated_base: whole(find("estimated")?)?,
                // Rows of an earlier program have none, and had no such readings.
                manual_base: whole(self.numbers.get("manual").copied().unwrap_or(0.0))?,
            },
            intervals_present: count("intervals_present")?,
            intervals_expected: count("intervals_expected")?,
            kgce_ug: micrograms("kgce")?,
            co2_ug: micrograms("co2_kg")?,
            factor_set: self.factor_set.clone(),
            cost_ncny: self.cost_ncny,
            tariff_set: self.tariff_set.clone(),
            point,
        })
    }
}

/// `r.tag == "a" or r.tag == "b"`, of ids.
fn any_of<'a>(tag: &str, ids: impl Iterator<Item = &'a str>) -> String {
    ids.map(|id| format!("r.{tag} == \"{id}\""))
        .collect::<Vec<_>>()
        .join(" or ")
}

fn time_ms(record: &Record<'_>) -> Result<i64, InfluxError> {
    let text = record.get("_time")?;
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.timestamp_millis())
        .map_err(|_| InfluxError::Answer(format!("`{text}` is no time")))
}

fn number<T: std::str::FromStr>(record: &Record<'_>) -> Result<T, InfluxError> {
    let text = record.get("_value")?;
    text.parse()
        .map_err(|_| InfluxError::Answer(format!("`{text}` is no number")))
}

fn id<T: std::str::FromStr>(record: &Record<'_>, tag: &str) -> Result<T, InfluxError> {
    let text = record.get(tag)?;
    text.parse()
        .map_err(|_| InfluxError::Answer(format!("`{text}` is no id of a {tag}")))
}

/// An integer that was sent as a float.
fn whole(number: f64) -> Result<i64, InfluxError> {
    const LIMIT: f64 = 9.2e18;
    if number.fract() == 0.0 && number.abs() < LIMIT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and in range"
        )]
        Ok(number as i64)
    } else {
        Err(InfluxError::Answer(format!("`{number}` is not whole")))
    }
}
