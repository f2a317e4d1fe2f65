//! A store filled once for all tests, and a way to ask.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use futures_util::StreamExt as _;
use serde_json::Value;
use steward_api::ApiState;
use steward_model::{
    Health, JournalHealth, MeterId, Quantity, Reading, ReadingQuality, Span, UtcMs, Value as Number,
};
use steward_store::{
    LedgerUpdate, ReadingsCommit, Source, StoreOptions, StoreReader, WorkingStore,
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
