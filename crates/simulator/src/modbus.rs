//! Modbus TCP gateways: one listener a gateway, its meters behind unit ids, registers by profile.

use std::collections::BTreeMap;
use std::future;
use std::net::SocketAddr;
use std::sync::Arc;

use steward_config::{Config, ProfileBody, RegisterSpec, RegisterType, WordOrder};
use steward_model::{GatewayId, Quantity};
use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_util::sync::CancellationToken;

use crate::site::Way;
use crate::world::{World, approximate, truncate};

/// Registers beyond the last one that still answer zero; further away is an illegal address.
const TAIL_REGISTERS: u16 = 16;

/// A clock in milliseconds since 1970.
pub type Clock = fn() -> i64;

/// What a register shows for a value in the quantity's unit: the words on the wire.
pub fn encode(spec: &RegisterSpec, value: f64) -> Vec<u16> {
    let raw = (value / spec.factor - spec.offset) / spec.scale;
    let whole = truncate(raw.round());
    let bytes: Vec<u8> = match spec.kind {
        RegisterType::Bit | RegisterType::U16 | RegisterType::I16 => tail(whole, 2),
        RegisterType::U32 | RegisterType::I32 => tail(whole, 4),
        RegisterType::U64 | RegisterType::I64 => tail(whole, 8),
        RegisterType::F32 => single(raw).to_be_bytes().to_vec(),
        RegisterType::F64 => raw.to_be_bytes().to_vec(),
        RegisterType::Bcd16 => bcd(whole, 4),
        RegisterType::Bcd32 => bcd(whole, 8),
        RegisterType::Bcd64 => bcd(whole, 16),
    };
    let mut words: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
        .collect();
    if matches!(spec.order, WordOrder::Cdab | WordOrder::Dcba) {
        words.reverse();
    }
    if matches!(spec.order, WordOrder::Badc | WordOrder::Dcba) {
        words.iter_mut().for_each(|word| *word = word.swap_bytes());
    }
    words
}

/// What a reader of this register gets for a value: history must show what live polls show.
pub fn shown(spec: &RegisterSpec, value: f64) -> f64 {
    let raw = (value / spec.factor - spec.offset) / spec.scale;
    let kept = match spec.kind {
        RegisterType::F32 => f64::from(single(raw)),
        RegisterType::F64 => raw,
        _ => raw.round(),
    };
    (kept * spec.scale + spec.offset) * spec.factor
}

fn tail(whole: i64, bytes: usize) -> Vec<u8> {
    whole.to_be_bytes()[8 - bytes..].to_vec()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a single-precision register is meant"
)]
fn single(raw: f64) -> f32 {
    raw as f32
}

fn bcd(whole: i64, digits: usize) -> Vec<u8> {
    let text = format!("{:0digits$}", whole.max(0));
    let text = &text.as_bytes()[text.len() - digits..];
    text.chunks_exact(2)
        .map(|pair| (pair[0] - b'0') << 4 | (pair[1] - b'0'))
        .collect()
}

struct Unit {
    number: usize,
    registers: Vec<RegisterSpec>,
}

/// The meters behind one gateway.
struct Gateway {
    world: Arc<World>,
    clock: Clock,
    units: BTreeMap<u8, Unit>,
}

impl Gateway {
    fn answer(&self, unit_id: u8, request: &Request<'_>) -> Result<Response, ExceptionCode> {
        let unit = self
            .units
            .get(&unit_id)
            .ok_or(ExceptionCode::GatewayTargetDevice)?;
        match *request {
            Request::ReadHoldingRegisters(address, count) => Ok(Response::ReadHoldingRegisters(
                self.words(unit, 3, address, count)?,
            )),
            Request::ReadInputRegisters(address, count) => Ok(Response::ReadInputRegisters(
                self.words(unit, 4, address, count)?,
            )),
            _ => Err(ExceptionCode::IllegalFunction),
        }
    }

    fn words(
        &self,
        unit: &Unit,
        function: u8,
        address: u16,
        count: u16,
    ) -> Result<Vec<u16>, ExceptionCode> {
        let at_ms = (self.clock)();
        let end = u32::from(address) + u32::from(count);
        let mut last = 0;
        let mut words = vec![0; usize::from(count)];
        for spec in unit
            .registers
            .iter()
            .filter(|spec| spec.function == function)
        {
            last = last.max(u32::from(spec.address) + u32::from(spec.kind.words()));
            let value = value(&self.world, unit.number, spec.quantity, at_ms);
            for (word, register) in encode(spec, value).into_iter().zip(spec.address..) {
                let place = register.checked_sub(address).map(usize::from);
                if let Some(slot) = place.and_then(|place| words.get_mut(place)) {
                    *slot = word;
                }
            }
        }
        if count == 0 || end > last + u32::from(TAIL_REGISTERS) {
            return Err(ExceptionCode::IllegalDataAddress);
        }
        Ok(words)
    }
}

/// The value of a quantity in its own unit.
pub(crate) fn value(world: &World, number: usize, quantity: Quantity, at_ms: i64) -> f64 {
    let rate = || world.rate_per_hour(number, at_ms);
    let commodity = world.meters().get(number).map(|meter| meter.commodity);
    match quantity {
        _ if commodity.is_some_and(|commodity| commodity.counter() == quantity) => {
            approximate(world.shown(number, at_ms))
        }
        Quantity::ReactiveImport => {
            let meter = world
                .meters()
                .get(number)
                .filter(|one| one.counts_reactive());
            let varh = meter.map(|meter| meter.reactive_varh(world.shown(number, at_ms)));
            approximate(varh.unwrap_or(0))
        }
        Quantity::Power | Quantity::Flow => rate(),
        // kJ per hour to watts.
        Quantity::ThermalPower => rate() / 3.6,
        Quantity::VoltageL1 => 229.4 + rate() % 3.0,
        Quantity::VoltageL2 => 230.1 + rate() % 2.0,
        Quantity::VoltageL3 => 228.9 + rate() % 2.5,
        Quantity::CurrentL1 | Quantity::CurrentL2 | Quantity::CurrentL3 => {
            rate() / (3.0 * 230.0 * 0.95)
        }
        Quantity::Frequency => 50.0,
        Quantity::PowerFactor => 0.95,
        Quantity::TemperatureSupply => 58.0,
        Quantity::TemperatureReturn => 44.0,
        _ => 0.0,
    }
}

impl Service for Gateway {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = future::Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        future::ready(self.answer(request.slave, &request.request))
    }
}

/// The Modbus gateways of a world.
pub fn gateways(world: &World) -> Vec<GatewayId> {
    let mut ids: Vec<GatewayId> = world
        .meters()
        .iter()
        .filter(|meter| matches!(meter.way, Way::Modbus { .. }))
        .map(|meter| meter.gateway.clone())
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Serves one gateway until `stop`. The caller owns the listener, so it knows the port.
pub async fn serve(
    listener: TcpListener,
    world: Arc<World>,
    config: &Config,
    gateway: &GatewayId,
    clock: Clock,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let mut units = BTreeMap::new();
    for (number, meter) in world.meters().iter().enumerate() {
        let Way::Modbus { unit_id } = meter.way else {
            continue;
        };
        let profile = config
            .profiles
            .get(meter.profile)
            .map(|profile| &profile.body);
        if let (true, Some(ProfileBody::Modbus(body))) = (&meter.gateway == gateway, profile) {
            units.insert(
                unit_id,
                Unit {
                    number,
                    registers: body.registers.clone(),
                },
            );
        }
    }
    let service = Arc::new(Gateway {
        world,
        clock,
        units,
    });
    let new_service = move |_: SocketAddr| Ok(Some(Arc::clone(&service)));
    let on_connected = |stream, address| {
        let new_service = new_service.clone();
        async move { accept_tcp_connection(stream, address, new_service) }
    };
    let on_error =
        |error: std::io::Error| tracing::debug!(%error, "a simulated bus lost its master");
    let server = Server::new(listener);
    tokio::select! {
        served = server.serve(&on_connected, on_error) => served,
        () = stop.cancelled() => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(kind: RegisterType, order: WordOrder) -> RegisterSpec {
        RegisterSpec {
            quantity: Quantity::EnergyImport,
            function: 3,
            address: 0,
            kind,
            order,
            scale: 1.0,
            offset: 0.0,
            factor: 1_000.0,
        }
    }

    #[test]
    fn registers_show_the_value_in_the_profile_s_unit() {
        let words = |kind, order| encode(&spec(kind, order), 123_456_000.0);
        assert_eq!(words(RegisterType::U32, WordOrder::Abcd), [0x0001, 0xE240]);
        assert_eq!(words(RegisterType::U32, WordOrder::Cdab), [0xE240, 0x0001]);
        assert_eq!(words(RegisterType::U32, WordOrder::Badc), [0x0100, 0x40E2]);
        assert_eq!(words(RegisterType::U32, WordOrder::Dcba), [0x40E2, 0x0100]);
        assert_eq!(words(RegisterType::F32, WordOrder::Abcd), [0x47F1, 0x2000]);
        assert_eq!(
            words(RegisterType::Bcd32, WordOrder::Abcd),
            [0x0012, 0x3456]
        );
        assert_eq!(words(RegisterType::I64, WordOrder::Abcd), [0, 0, 1, 0xE240]);
    }

    #[test]
    fn history_shows_what_the_register_can_hold() {
        let float = spec(RegisterType::F32, WordOrder::Abcd);
        let value = 1_234_567_890.0;
        assert_eq!(
            shown(&float, value),
            f64::from(1_234_567.890_f64 as f32) * 1_000.0
        );
        assert_eq!(
            shown(&spec(RegisterType::U32, WordOrder::Abcd), value),
            1_234_568_000.0
        );
    }
}
