//! A store filled once for all tests, and a way to ask.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures_util::StreamExt as _;
use serde_json::Value;
use steward_api::ApiState;
use steward_books::{Access, Books};
use steward_config::tariff::QUARTERS;
use steward_config::{
    Account, Band, Dated, DayKind, DemandBasis, Price, Schedule, Surcharge, Tariff, TariffVersion,
    Tariffs,
};
use steward_model::{
    Commodity, Evidence, Finding, FindingKind, FindingState, Health, InstitutionId, JournalHealth,
    MeterId, PointId, Quantity, Reading, ReadingQuality, Span, UtcMs, Value as Number,
};
use steward_store::{
    FoundIn, LedgerUpdate, ReadingsCommit, Source, StoreOptions, StoreReader, WorkingStore,
};
use tower::ServiceExt as _;

use crate::world;

struct Filled {
    dir: tempfile::TempDir,
    config: Arc<steward_config::Config>,
}

static FILLED: LazyLock<Filled> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let config = world::config();
    let options = StoreOptions {
        publish: false,
        outbox_bytes_max: 0,
        clock: || world::NOW,
        ledger_gauges: Vec::new(),
    };
    let mut store = WorkingStore::open(dir.path(), options).unwrap();
    let days = world::days(&config);
    let rows: Vec<_> = [Span::Day, Span::Month, Span::Year]
        .into_iter()
        .flat_map(|span| world::rows(&config, &days, span))
        .collect();
    let update = LedgerUpdate {
        days: &days,
        rows: &rows,
        found: &found(),
        ..LedgerUpdate::default()
    };
    store.write_ledger(update).unwrap();
    let readings = readings();
    let accounted = readings.len() as u64;
    let commit = ReadingsCommit {
        readings: &readings,
        quarantine: &[],
        cursor: 1,
        accounted,
    };
    store.commit_readings(commit).unwrap();
    Filled {
        dir,
        config: Arc::new(config),
    }
});

/// 2026-10-20T08:00:00+08:00, when the school's register fell and rested there for an hour.
pub(crate) const FALL: UtcMs = UtcMs(1_792_454_400_000);

/// The id of the review of that fall.
pub(crate) const FALL_ID: &str = "school-1-el-m~energy_import~1792454400000";

/// 2026-10-12T08:00:00+08:00, a glitch of which a rule is certain.
const GLITCH: UtcMs = UtcMs(1_791_763_200_000);

/// What the ledger found: one fall that waits for a person, and one glitch that does not.
fn found() -> [FoundIn; 1] {
    let point = PointId::new("school-1-el").unwrap();
    let finding = |at: UtcMs, kind, state| Finding {
        point: point.clone(),
        meter: MeterId::new("school-1-el-m").unwrap(),
        quantity: Quantity::EnergyImport,
        at,
        until: UtcMs(at.0 + 3_600_000),
        held_out: 61,
        kind,
        state,
        evidence: Evidence {
            before: Some((UtcMs(at.0 - 60_000), 5_000.0)),
            first: (at, 12.5),
            last: (UtcMs(at.0 + 3_600_000), 13.0),
            after: None,
            modulus: None,
            resolution: Some(10.0),
            rise_max: None,
            flowed: None,
        },
    };
    [FoundIn {
        point: point.clone(),
        from: UtcMs(0),
        to: world::NOW,
        findings: vec![
            finding(GLITCH, FindingKind::Glitch, FindingState::ByRule),
            finding(FALL, FindingKind::Fall, FindingState::Open),
        ],
        fills: Vec::new(),
    }]
}

/// Ten minutes of the hall's main meter, and an old reading of the school's.
fn readings() -> Vec<Reading> {
    let reading = |meter: &str, quantity, minutes_ago: i64, value: f64| Reading {
        meter: MeterId::new(meter).unwrap(),
        quantity,
        at: UtcMs(world::NOW.0 - minutes_ago * 60_000),
        value: Number::new(value).unwrap(),
        quality: ReadingQuality::Good,
    };
    let mut readings: Vec<Reading> = (0..10)
        .flat_map(|ago| {
            let energy = reading(
                "hall-1-el-m",
                Quantity::EnergyImport,
                ago,
                1_000.0 - ago as f64,
            );
            [
                energy,
                reading("hall-1-el-m", Quantity::Power, ago, 500.0 + ago as f64),
            ]
        })
        .collect();
    readings.push(reading("school-1-el-m", Quantity::Power, 60, 7_000.0));
    readings
}

/// The state of an api over the filled store, open to this machine.
pub(crate) fn state() -> ApiState {
    let mut config = steward_config::Config::clone(&FILLED.config);
    config.settings.api.open_on_loopback = true;
    ApiState {
        config: Arc::new(config),
        source: Source::Working(StoreReader::open(FILLED.dir.path())),
        // Nobody has written into these.
        books: Books::open(&FILLED.dir.path().join("books"), Access::Read).unwrap(),
        health: Arc::new(|| Health {
            journal: Some(JournalHealth {
                bytes_max: 1_000,
                used_bytes: 10,
                ..JournalHealth::default()
            }),
            ..Health::default()
        }),
        samples: Arc::new(Vec::new),
        clock: || world::NOW,
    }
}

/// The same, but only a token opens it.
pub(crate) fn closed() -> ApiState {
    ApiState {
        config: FILLED.config.clone(),
        ..state()
    }
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

pub(crate) fn get(uri: &str) -> Request<Body> {
    Request::get(uri)
        .header(header::HOST, "127.0.0.1:8080")
        .body(Body::empty())
        .unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let mut bytes = Vec::new();
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    let text = String::from_utf8(bytes).unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text,
    }
}

/// What an open api answers.
pub(crate) async fn ask(uri: &str) -> Answer {
    send(steward_api::app(state()), get(uri)).await
}

/// The JSON of a good answer.
pub(crate) async fn good(uri: &str) -> Value {
    let answer = ask(uri).await;
    assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.text);
    answer.json()
}

/// Books of one's own beside the filled store, and the api over both.
pub(crate) struct Desk {
    pub(crate) state: ApiState,
    _dir: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let books = Books::open(dir.path(), Access::Write).unwrap();
        Self {
            state: ApiState { books, ..state() },
            _dir: dir,
        }
    }

    /// The same with an account that pays for the hall's electricity: 0.7 CNY a kWh, at any time.
    pub(crate) fn with_tariffs() -> Self {
        let mut desk = Self::new();
        let config = Arc::make_mut(&mut desk.state.config);
        config.tariffs = tariffs();
        desk
    }

    /// Sends JSON in the name of somebody.
    pub(crate) async fn post(&self, who: &str, uri: &str, body: &Value) -> Answer {
        let request = Request::post(uri)
            .header(header::HOST, "127.0.0.1:8080")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-steward-user", who)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// The JSON of what was entered.
    pub(crate) async fn enter(&self, who: &str, uri: &str, body: &Value) -> Value {
        let answer = self.post(who, uri, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{uri}: {}", answer.text);
        answer.json()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(steward_api::app(self.state.clone()), request).await
    }

    /// The JSON of a good answer.
    pub(crate) async fn good(&self, uri: &str) -> Value {
        let answer = self.send(get(uri)).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {}", answer.text);
        answer.json()
    }
}

/// The places of a refusal, with its status.
pub(crate) fn refused(answer: &Answer) -> (u16, Vec<String>) {
    assert_eq!(
        answer.headers["content-type"], "application/problem+json",
        "{}",
        answer.text
    );
    let problem = answer.json();
    let refusals = problem["refusals"].as_array().cloned().unwrap_or_default();
    for refusal in &refusals {
        for member in ["place", "value", "expected"] {
            assert_ne!(
                refusal[member].as_str().unwrap_or_default(),
                "",
                "{}",
                answer.text
            );
        }
    }
    let places = refusals
        .iter()
        .map(|one| one["place"].as_str().unwrap().to_owned());
    (answer.status.as_u16(), places.collect())
}

fn tariffs() -> Tariffs {
    let from = world::date(2024, 1, 1);
    let price = |cny: &str, ncny_per_base| Price {
        cny: cny.parse().unwrap(),
        ncny_per_base,
    };
    let version = TariffVersion {
        from,
        to: None,
        source: "浙发改价格〔2024〕1号".into(),
        confidence: 'U',
        schedules: vec![Schedule {
            months: (1..=12).collect(),
            days: vec![DayKind::Workday, DayKind::Restday, DayKind::Holiday],
            bands: [Band::Flat; QUARTERS],
        }],
        energy: [(Band::Flat, price("0.65", 650_000))].into(),
        surcharges: vec![Surcharge {
            name_zh: "基金及附加".into(),
            name_en: "Funds".into(),
            price: price("0.05", 50_000),
        }],
        tiers: None,
        demand: None,
        power_factor: None,
        fixed_cny_month: "10".parse().unwrap(),
    };
    let tariff = Tariff {
        id: "general".into(),
        name_zh: "一般工商业".into(),
        name_en: "General".into(),
        commodity: Commodity::Electricity,
        versions: vec![version],
    };
    let account = Account {
        id: "grid".into(),
        institution: InstitutionId::new("hall").unwrap(),
        number: "3301".into(),
        supplier: "电力公司".into(),
        commodity: Commodity::Electricity,
        points: vec![PointId::new("hall-1-el").unwrap()],
        tariffs: vec![Dated {
            from,
            to: None,
            value: "general".into(),
        }],
        demand: DemandBasis::None,
    };
    Tariffs {
        all: [("general".to_owned(), tariff)].into(),
        accounts: [("grid".to_owned(), account)].into(),
    }
}
