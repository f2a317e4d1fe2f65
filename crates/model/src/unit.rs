//! Units that profiles may speak, and how they become the unit of a quantity.

use crate::Quantity;

/// Why a unit does not serve a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The text names no unit we know.
    #[error("`{0}` is no unit we know")]
    Unknown(String),
    /// The unit measures something else.
    #[error("`{unit}` does not measure {quantity}, whose unit is {expected}")]
    Mismatch {
        /// The unit as written.
        unit: String,
        /// The quantity.
        quantity: Quantity,
        /// The quantity's own unit.
        expected: &'static str,
    },
}

/// A unit and its size in the base of its dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    symbol: &'static str,
    dimension: &'static str,
    size: f64,
}

const fn unit(symbol: &'static str, dimension: &'static str, size: f64) -> Unit {
    Unit {
        symbol,
        dimension,
        size,
    }
}

/// The base of energy is the joule, of volume the litre, of mass the gram.
const UNITS: &[Unit] = &[
    unit("Wh", "energy", 3_600.0),
    unit("kWh", "energy", 3_600_000.0),
    unit("MWh", "energy", 3_600_000_000.0),
    unit("J", "energy", 1.0),
    unit("kJ", "energy", 1_000.0),
    unit("MJ", "energy", 1_000_000.0),
    unit("GJ", "energy", 1_000_000_000.0),
    unit("varh", "reactive energy", 1.0),
    unit("kvarh", "reactive energy", 1_000.0),
    unit("Mvarh", "reactive energy", 1_000_000.0),
    unit("mL", "volume", 0.001),
    unit("L", "volume", 1.0),
    unit("m3", "volume", 1_000.0),
    unit("g", "mass", 1.0),
    unit("kg", "mass", 1_000.0),
    unit("t", "mass", 1_000_000.0),
    unit("W", "power", 1.0),
    unit("kW", "power", 1_000.0),
    unit("MW", "power", 1_000_000.0),
    unit("mV", "voltage", 0.001),
    unit("V", "voltage", 1.0),
    unit("kV", "voltage", 1_000.0),
    unit("mA", "current", 0.001),
    unit("A", "current", 1.0),
    unit("Hz", "frequency", 1.0),
    unit("1", "ratio", 1.0),
    unit("%", "ratio", 0.01),
    unit("L/h", "flow", 1.0),
    unit("m3/h", "flow", 1_000.0),
    unit("degC", "temperature", 1.0),
];

impl Unit {
    /// The unit called `symbol`.
    pub fn parse(symbol: &str) -> Result<Self, UnitError> {
        UNITS
            .iter()
            .copied()
            .find(|unit| unit.symbol == symbol)
            .ok_or_else(|| UnitError::Unknown(symbol.to_owned()))
    }

    /// Every symbol, for hints.
    pub fn symbols() -> impl Iterator<Item = &'static str> {
        UNITS.iter().map(|unit| unit.symbol)
    }

    /// The number by which a value in this unit is multiplied to be in the quantity's own unit.
    pub fn factor_to(self, quantity: Quantity) -> Result<f64, UnitError> {
        let own = Self::parse(quantity.unit())?;
        if own.dimension == self.dimension {
            Ok(self.size / own.size)
        } else {
            Err(UnitError::Mismatch {
                unit: self.symbol.to_owned(),
                quantity,
                expected: quantity.unit(),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_the_unit_of_the_quantity() {
        let factor = |unit, quantity| Unit::parse(unit).and_then(|unit| unit.factor_to(quantity));
        assert_eq!(factor("kWh", Quantity::EnergyImport), Ok(1_000.0));
        assert_eq!(factor("GJ", Quantity::HeatEnergy), Ok(1_000_000.0));
        assert_eq!(factor("kWh", Quantity::HeatEnergy), Ok(3_600.0));
        assert_eq!(factor("m3", Quantity::Volume), Ok(1_000.0));
        assert!(matches!(
            factor("m3", Quantity::EnergyImport),
            Err(UnitError::Mismatch { .. })
        ));
        assert!(matches!(
            factor("kwh", Quantity::EnergyImport),
            Err(UnitError::Unknown(_))
        ));
    }

    #[test]
    fn every_quantity_speaks_a_known_unit() {
        for quantity in Quantity::ALL {
            assert!(Unit::parse(quantity.unit()).is_ok(), "{quantity}");
        }
    }
}
