//! What a building draws in a quarter of an hour: by use, calendar, weather and hour.

use chrono::{Datelike, NaiveDate};

use crate::calendar::{DayKind, day_kind};
use crate::noise;

/// Quarters in a day of the simulated zone, which has no clock changes.
pub const QUARTERS: u32 = 96;

/// How a building is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Offices: workdays from seven to seven.
    Office,
    /// Wards and clinics: day and night, a little less at weekends.
    Hospital,
    /// Schools: workdays, not in January, July and August.
    School,
    /// Museums, libraries, halls: every day but Monday, most at weekends.
    Public,
}

/// What draws. Sizes are averages over an occupied hour, in kW, litres or kJ per hour.
#[derive(Clone, Debug)]
pub enum Load {
    /// Lighting and sockets, in kW.
    Lighting(f64),
    /// Air-conditioning, in kW per full load.
    Hvac(f64),
    /// Lifts, pumps and fans, in kW.
    Motive(f64),
    /// Server rooms, kitchens, laundries, in kW; never sleeps.
    Special(f64),
    /// Water in litres per occupied hour.
    Water(f64),
    /// Gas in litres per occupied hour: kitchens at meal times, boilers when cold.
    Gas(f64),
    /// Heat in kJ per hour and degree below 15 °C.
    Heat(f64),
    /// A solar plant of so many kW at its peak.
    Solar(f64),
    /// Everything below, and a share on top that no child meters.
    Total(Vec<Load>, f64),
}

/// The weather of a day: made once, used by every meter.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    kind: DayKind,
    month: u32,
    monday: bool,
    mean_c: f64,
    clearness: f64,
    day_length_h: f64,
}

impl Weather {
    /// The weather of `date` on an island at 30° north.
    pub fn on(seed: u64, date: NaiveDate) -> Self {
        let day = f64::from(date.ordinal0());
        let season = ((day - 205.0) / 365.25 * std::f64::consts::TAU).cos();
        let number = u64::try_from(date.num_days_from_ce()).unwrap_or_default();
        // Fronts last some days: three days share a part of the noise.
        let front = noise::unit(seed, [9_001, number / 3, 0]) - 0.5;
        let daily = noise::unit(seed, [9_002, number, 0]) - 0.5;
        Self {
            kind: day_kind(date),
            month: date.month(),
            monday: date.weekday() == chrono::Weekday::Mon,
            mean_c: 17.0 + 10.5 * season + 5.0 * front + 2.0 * daily,
            clearness: 0.25 + 0.75 * noise::unit(seed, [9_003, number, 0]),
            day_length_h: 12.1 + 1.9 * season,
        }
    }

    /// Outdoor temperature in °C at an hour of the day.
    pub fn temperature_c(&self, hour: f64) -> f64 {
        self.mean_c + 3.2 * ((hour - 14.5) / 24.0 * std::f64::consts::TAU).cos()
    }
}

/// A smooth step from 0 to 1 around `edge`, about `width` hours wide.
fn ramp(hour: f64, edge: f64, width: f64) -> f64 {
    1.0 / (1.0 + (-(hour - edge) * 4.0 / width).exp())
}

/// A day that opens and closes, with a lunch break.
fn open(hour: f64, from: f64, to: f64) -> f64 {
    let lunch = 1.0 - 0.25 * ramp(hour, 11.8, 0.5) * (1.0 - ramp(hour, 13.4, 0.5));
    ramp(hour, from, 1.0) * (1.0 - ramp(hour, to, 1.5)) * lunch
}

impl Use {
    /// The share of people present, 0 to 1.
    fn presence(self, weather: &Weather, hour: f64) -> f64 {
        let rest = weather.kind != DayKind::Workday;
        match self {
            Self::Office if rest => 0.05 * open(hour, 9.0, 16.0),
            Self::Office => open(hour, 8.2, 17.8) + 0.06 * open(hour, 18.5, 21.0),
            Self::School if matches!(weather.month, 1 | 7 | 8) => 0.08 * open(hour, 9.0, 16.0),
            Self::School if rest => 0.04 * open(hour, 9.0, 16.0),
            Self::School => open(hour, 7.2, 17.0) + 0.3 * open(hour, 18.0, 21.3),
            Self::Hospital if rest => 0.35 + 0.35 * open(hour, 7.5, 17.0),
            Self::Hospital => 0.35 + 0.65 * open(hour, 7.2, 17.5),
            Self::Public if weather.monday => 0.06,
            Self::Public if rest => 1.15 * open(hour, 8.8, 17.2),
            Self::Public => 0.75 * open(hour, 8.8, 17.2),
        }
    }
}

impl Load {
    /// The most that it can draw in an hour, in base units: what a meter's rating has to allow.
    pub fn rating_per_h(&self) -> f64 {
        match self {
            Self::Lighting(kw) | Self::Motive(kw) | Self::Special(kw) => kw * 2_000.0,
            Self::Hvac(kw) => kw * 3_000.0,
            Self::Water(litres) => litres * 3.0,
            Self::Gas(litres) => litres * 6.0,
            Self::Heat(kj) => kj * 40.0,
            Self::Solar(kw) => kw * 1_500.0,
            Self::Total(children, unmetered) => {
                let below: f64 = children.iter().map(Self::rating_per_h).sum();
                below * (1.0 + unmetered)
            }
        }
    }

    /// Base units (Wh, litre, kJ) drawn in quarter `quarter` of a day.
    pub fn quarter(&self, usage: Use, weather: &Weather, quarter: u32, jitter: f64) -> f64 {
        let hour = (f64::from(quarter) + 0.5) / 4.0;
        let present = usage.presence(weather, hour);
        let outdoor_c = weather.temperature_c(hour);
        // Noise of ±6 %, the same sign for a meter and its children within a quarter.
        let shake = 0.94 + 0.12 * jitter;
        let dark = 1.0 - ramp(hour, 6.2, 1.0) * (1.0 - ramp(hour, 17.6, 1.2));
        match self {
            Self::Lighting(kw) => 250.0 * kw * (0.12 + present * (0.8 + 0.2 * dark)) * shake,
            Self::Hvac(kw) => {
                let need = ((outdoor_c - 23.0) / 9.0).clamp(0.0, 1.25)
                    + ((11.0 - outdoor_c) / 12.0).clamp(0.0, 1.0) * 0.8;
                250.0 * kw * (0.03 + need * (0.06 + present)) * shake
            }
            Self::Motive(kw) => 250.0 * kw * (0.1 + 0.9 * present) * shake,
            Self::Special(kw) => 250.0 * kw * (0.8 + 0.2 * present) * shake,
            Self::Water(litres) => 0.25 * litres * (0.04 + present) * (0.6 + 0.8 * jitter),
            Self::Gas(litres) => {
                let meal = open(hour, 6.5, 8.0) + open(hour, 10.5, 12.5) + open(hour, 16.5, 18.0);
                let cold = ((9.0 - outdoor_c) / 12.0).clamp(0.0, 1.0);
                0.25 * litres * (meal * (0.1 + present) + cold * (0.2 + present)) * shake
            }
            Self::Heat(kj) => {
                0.25 * kj * (15.0 - outdoor_c).max(0.0) * (0.35 + 0.65 * present) * shake
            }
            Self::Solar(kw) => {
                let x = (hour - 12.0) / (weather.day_length_h / 2.0);
                let sun = if x.abs() < 1.0 {
                    (1.0 - x * x).powf(1.3)
                } else {
                    0.0
                };
                250.0 * kw * sun * weather.clearness * 0.82 * (0.9 + 0.2 * jitter)
            }
            Self::Total(children, unmetered) => {
                let below: f64 = children
                    .iter()
                    .map(|child| child.quarter(usage, weather, quarter, jitter))
                    .sum();
                below * (1.0 + unmetered)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_kwh(load: &Load, usage: Use, date: (i32, u32, u32)) -> f64 {
        let date = NaiveDate::from_ymd_opt(date.0, date.1, date.2).expect("a date");
        let weather = Weather::on(1, date);
        (0..QUARTERS)
            .map(|q| load.quarter(usage, &weather, q, 0.5))
            .sum::<f64>()
            / 1_000.0
    }

    #[test]
    fn an_office_rests_at_weekends_and_cools_in_summer() {
        let light = Load::Lighting(40.0);
        let workday = day_kwh(&light, Use::Office, (2026, 10, 13));
        let sunday = day_kwh(&light, Use::Office, (2026, 10, 18));
        let holiday = day_kwh(&light, Use::Office, (2026, 10, 1));
        assert!(workday > 2.0 * sunday, "{workday} {sunday}");
        assert!(workday > 2.0 * holiday, "{workday} {holiday}");
        let hvac = Load::Hvac(100.0);
        let july = day_kwh(&hvac, Use::Office, (2026, 7, 28));
        let october = day_kwh(&hvac, Use::Office, (2026, 10, 20));
        assert!(july > 3.0 * october, "{july} {october}");
    }

    #[test]
    fn the_sun_shines_by_day_only() {
        let weather = Weather::on(1, NaiveDate::from_ymd_opt(2026, 6, 1).expect("a date"));
        let solar = Load::Solar(50.0);
        let at = |quarter| solar.quarter(Use::Office, &weather, quarter, 0.5);
        assert!(at(0) == 0.0 && at(48) > 0.0 && at(95) == 0.0);
    }
}
