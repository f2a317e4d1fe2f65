//! The bus over a virtual clock: schedules are counted, not timed. And once over a real server.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use steward_config::{RegisterSpec, RegisterType, WordOrder};
use steward_model::{Quantity, UtcMs};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::modbus::bus::{Bus, Polled, Report};
use crate::modbus::link::{Ask, Dial, Link, LinkError};
use crate::modbus::meter::{MeterParts, MeterTask};

const TIMEOUT: Duration = Duration::from_secs(1);
const START: UtcMs = UtcMs(1_790_000_003_000);

type Answer = Box<dyn Fn(Ask, u64) -> Result<u16, LinkError> + Send + Sync>;

/// Devices by unit id: what each makes of its n-th request. Every answer takes 20 ms, a timeout its
/// whole time.
#[derive(Clone, Default)]
struct World {
    devices: Arc<HashMap<u8, Answer>>,
    asked: Arc<Mutex<BTreeMap<u8, u64>>>,
    asks: Arc<Mutex<Vec<Ask>>>,
}

impl Dial for World {
    type Link = World;
    async fn dial(&self) -> Result<World, LinkError> {
        Ok(self.clone())
    }
}

impl Link for World {
    async fn read(&mut self, ask: Ask) -> Result<Vec<u16>, LinkError> {
        let n = {
            let mut asked = self.asked.lock().unwrap();
            let n = asked.entry(ask.unit).or_default();
            *n += 1;
            *n
        };
        self.asks.lock().unwrap().push(ask);
        let answer = self.devices[&ask.unit](ask, n);
        let takes = match answer {
            Err(LinkError::Timeout(_)) => TIMEOUT,
            _ => Duration::from_millis(20),
        };
        tokio::time::sleep(takes).await;
        answer.map(|value| vec![value; usize::from(ask.count)])
    }
}

fn spec(quantity: Quantity, address: u16) -> RegisterSpec {
    RegisterSpec {
        quantity,
        function: 3,
        address,
        kind: RegisterType::U16,
        order: WordOrder::Abcd,
        scale: 1.0,
        offset: 0.0,
        factor: 1.0,
    }
}

fn meter(unit: u8, interval_s: u64, specs: Vec<RegisterSpec>) -> MeterParts {
    MeterParts {
        id: format!("m-{unit}").parse().unwrap(),
        gateway: "g".parse().unwrap(),
        unit,
        interval: Duration::from_secs(interval_s),
        zone: super::site::ZONE,
        from: chrono::NaiveDate::MIN,
        to: None,
        specs,
        probe: None,
        request_cost: 10,
    }
}

fn virtual_clock() -> Clock {
    let begun = Instant::now();
    Arc::new(move || UtcMs(START.0 + i64::try_from(begun.elapsed().as_millis()).unwrap()))
}

/// Runs a bus for a while of virtual time and answers its polls.
async fn polls(world: &World, meters: Vec<MeterParts>, length: Duration) -> Vec<Polled> {
    let (reports, mut told) = mpsc::channel(100_000);
    let stop = CancellationToken::new();
    let bus = Bus {
        dial: world.clone(),
        meters: meters.into_iter().map(MeterTask::new).collect(),
        spread_seed: 700,
        clock: virtual_clock(),
        reports,
        stop: stop.clone(),
    };
    let running = tokio::spawn(bus.run());
    tokio::time::sleep(length).await;
    stop.cancel();
    running.await.unwrap();
    let mut polls = Vec::new();
    while let Some(report) = told.recv().await {
        if let Report::Polled(polled) = report {
            polls.push(*polled);
        }
    }
    polls
}

fn world(devices: Vec<(u8, Answer)>) -> World {
    World {
        devices: Arc::new(devices.into_iter().collect()),
        ..World::default()
    }
}

fn good() -> Answer {
    Box::new(|_, _| Ok(230))
}

fn dead() -> Answer {
    Box::new(|_, _| Err(LinkError::Timeout(TIMEOUT)))
}

fn volts() -> Vec<RegisterSpec> {
    vec![spec(Quantity::VoltageL1, 1)]
}

#[tokio::test(start_paused = true)]
async fn dead_meters_do_not_slow_their_neighbours() {
    let world = world(vec![(1, dead()), (2, good()), (3, dead()), (4, good())]);
    let meters = (1..=4).map(|unit| meter(unit, 10, volts())).collect();
    let polls = polls(&world, meters, Duration::from_secs(3_600)).await;
    for (index, healthy) in [(0, false), (1, true), (2, false), (3, true)] {
        let own: Vec<_> = polls.iter().filter(|p| p.meter == index).collect();
        let read = own
            .iter()
            .filter(|p| !p.outcome.readings.is_empty())
            .count();
        let missed: u64 = own.iter().map(|p| p.missed).sum();
        if healthy {
            // Every ten seconds, and once at the start.
            assert!((360..=362).contains(&read), "{index}: {read}");
            assert_eq!((missed, own.len()), (0, read));
        } else {
            assert_eq!(read, 0);
            // 2 s doubling to 5 min: seven steps up, then at least half of the ceiling.
            assert!((12..=40).contains(&own.len()), "{index}: {}", own.len());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn polls_follow_the_wall_clock() {
    let world = world(vec![(1, good())]);
    let meters = vec![meter(1, 60, volts())];
    let polls = polls(&world, meters, Duration::from_secs(601)).await;
    let seconds: Vec<i64> = polls.iter().map(|p| p.at.0 - 20).collect();
    assert_eq!(seconds[0], START.0, "at once at the start");
    for at in &seconds[1..] {
        // The gateway's own spread.
        assert_eq!(at.rem_euclid(60_000), 700, "{seconds:?}");
    }
    assert_eq!(seconds.len(), 11);
}

#[tokio::test(start_paused = true)]
async fn an_illegal_register_is_found_and_the_rest_is_read() {
    // Register 14 is refused, alone or in a block; so is the hole at 18.
    let refuses =
        |ask: Ask, address: u16| (ask.address..ask.address + ask.count).contains(&address);
    let answer: Answer = Box::new(move |ask, _| {
        if refuses(ask, 14) || refuses(ask, 18) {
            Err(LinkError::Exception(2))
        } else {
            Ok(5)
        }
    });
    let world = world(vec![(1, answer)]);
    let specs = vec![
        spec(Quantity::VoltageL1, 10),
        spec(Quantity::VoltageL2, 12),
        spec(Quantity::VoltageL3, 14),
        spec(Quantity::Power, 16),
        spec(Quantity::EnergyImport, 20),
    ];
    let meters = vec![meter(1, 60, specs)];
    let polls = polls(&world, meters, Duration::from_secs(3_000)).await;
    for poll in &polls {
        let read: Vec<_> = poll.outcome.readings.iter().map(|r| r.quantity).collect();
        assert_eq!(read.len(), 4, "partial results are kept: {read:?}");
        assert!(!read.contains(&Quantity::VoltageL3));
    }
    let faults: Vec<_> = polls.iter().flat_map(|p| &p.outcome.faults).collect();
    assert_eq!(faults.len(), 1, "found once: {faults:?}");
    assert!(faults[0].text.contains("registers 14..14 (voltage_l3)"));
    assert_eq!(faults[0].reason, "illegal_address");
    let first = polls[0].outcome.requests;
    assert!(first <= 9, "{first} requests to find it");
    assert!(polls[1..].iter().all(|p| p.outcome.requests <= 4));
    assert!(
        polls.iter().all(|p| !p.outcome.broken),
        "an answer breaks no connection"
    );
}

#[tokio::test(start_paused = true)]
async fn refused_registers_are_asked_for_again_after_an_hour() {
    // Mended after half an hour.
    let begun = Instant::now();
    let answer: Answer = Box::new(move |ask, _| {
        let broken = begun.elapsed() < Duration::from_secs(1_800);
        let refused = ask.address <= 14 && ask.address + ask.count > 14;
        if broken && refused {
            Err(LinkError::Exception(2))
        } else {
            Ok(5)
        }
    });
    let world = world(vec![(1, answer)]);
    let specs = vec![spec(Quantity::VoltageL1, 10), spec(Quantity::Power, 14)];
    let meters = vec![meter(1, 60, specs)];
    let polls = polls(&world, meters, Duration::from_secs(4_000)).await;
    let last = &polls.last().unwrap().outcome;
    assert_eq!(last.readings.len(), 2);
    assert_eq!(last.requests, 1, "the plan is whole again");
}

#[tokio::test(start_paused = true)]
async fn a_block_that_times_out_does_not_take_the_others() {
    let answer: Answer = Box::new(|ask, _| {
        if ask.address < 100 {
            Err(LinkError::Timeout(TIMEOUT))
        } else {
            Ok(5)
        }
    });
    let world = world(vec![(1, answer), (2, good())]);
    let specs = vec![spec(Quantity::VoltageL1, 10), spec(Quantity::Power, 500)];
    let meters = vec![meter(1, 10, specs), meter(2, 10, volts())];
    let polls = polls(&world, meters, Duration::from_secs(3_600)).await;
    let read = |index, quantity| {
        polls
            .iter()
            .filter(|p| p.meter == index)
            .flat_map(|p| &p.outcome.readings)
            .filter(|r| r.quantity == quantity)
            .count()
    };
    assert_eq!(read(0, Quantity::VoltageL1), 0);
    let power = read(0, Quantity::Power);
    assert!(power >= 330, "{power}");
    assert!(read(1, Quantity::VoltageL1) >= 360);
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_is_asked_again_and_its_other_blocks_are_read() {
    let answer: Answer = Box::new(|ask, n| {
        if ask.address == 10 && n <= 2 {
            Err(LinkError::Exception(6))
        } else {
            Ok(5)
        }
    });
    let world = world(vec![(1, answer)]);
    let specs = vec![spec(Quantity::VoltageL1, 10), spec(Quantity::Power, 500)];
    let meters = vec![meter(1, 60, specs)];
    let polls = polls(&world, meters, Duration::from_secs(130)).await;
    assert_eq!(polls[0].outcome.readings.len(), 1);
    assert_eq!(polls[1].outcome.readings.len(), 2);
    assert_eq!(polls[0].outcome.faults[0].reason, "busy");
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_is_no_fault() {
    // Every second request finds the connection closed.
    let answer: Answer = Box::new(|_, n| {
        if n % 2 == 0 {
            Err(LinkError::Io("closed".into()))
        } else {
            Ok(5)
        }
    });
    let world = world(vec![(1, answer)]);
    let meters = vec![meter(1, 60, volts())];
    let polls = polls(&world, meters, Duration::from_secs(601)).await;
    assert_eq!(polls.len(), 11);
    for poll in polls {
        assert_eq!(
            (poll.outcome.readings.len(), poll.outcome.faults.len()),
            (1, 0)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_does_not_fit_is_not_believed() {
    // For an hour the probe shows nonsense, then the right meter is fitted.
    let begun = Instant::now();
    let answer: Answer = Box::new(move |_, _| {
        Ok(if begun.elapsed() < Duration::from_secs(3_600) {
            60_000
        } else {
            230
        })
    });
    let world = world(vec![(1, answer)]);
    let mut parts = meter(1, 60, volts());
    parts.probe = Some((spec(Quantity::VoltageL1, 1), 90.0, 280.0));
    let polls = polls(&world, vec![parts], Duration::from_secs(7_200)).await;
    let values: Vec<f64> = polls
        .iter()
        .flat_map(|p| &p.outcome.readings)
        .map(|r| r.value.get())
        .collect();
    assert!(values.len() > 50 && values.iter().all(|v| *v == 230.0));
    assert_eq!(polls[0].outcome.faults[0].reason, "implausible_probe");
}

#[tokio::test(start_paused = true)]
async fn registers_without_a_number_are_kept_once_and_counted_always() {
    let answer: Answer = Box::new(|_, _| Ok(0x7FC0));
    let world = world(vec![(1, answer)]);
    let mut bad = spec(Quantity::Power, 1);
    bad.kind = RegisterType::F32;
    let meters = vec![meter(1, 10, vec![bad, spec(Quantity::VoltageL1, 3)])];
    let polls = polls(&world, meters, Duration::from_secs(601)).await;
    let kept: Vec<_> = polls.iter().flat_map(|p| &p.outcome.quarantine).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].source, "m-1/power");
    assert_eq!(kept[0].payload, [0x7F, 0xC0, 0x7F, 0xC0]);
    assert!(polls.iter().all(|p| p.outcome.faults.len() == 1));
    assert!(polls.iter().all(|p| p.outcome.readings.len() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_meter_out_of_service_is_not_asked() {
    let world = world(vec![(1, good())]);
    let mut parts = meter(1, 60, volts());
    parts.to = chrono::NaiveDate::from_ymd_opt(2026, 9, 21);
    let polls = polls(&world, vec![parts], Duration::from_secs(600)).await;
    assert!(polls.is_empty());
    assert!(world.asks.lock().unwrap().is_empty());
}
