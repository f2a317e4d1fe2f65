//! `kill -9` of collector and aggregator at random moments under load: nothing that the broker has
//! acknowledged is lost, nothing is invented, doubled or changed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed expectation is a failed test"
)]

mod fleet;
mod oracle;
mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fleet::{Fleet, Message, Sender};
use oracle::{Found, Key, Oracle};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use steward_journal::JournalReader;
use steward_model::{MeterId, Quantity, UtcMs};
use steward_store::{StoreCounts, StoreReader};
use support::{LONG, Mosquitto, SHORT, Steward, path_of, wait_until};
use tokio_util::sync::CancellationToken;

const KILLS: usize = 30;
const METERS: usize = 10;
/// 200 messages of ten readings a second.
const ROUND: Duration = Duration::from_millis(50);
const MESSAGES_PER_ROUND: usize = 10;
/// One message in so many is sent again, as gateways do that missed an acknowledgement.
const REPEAT_EVERY: usize = 40;
/// A meter's readings are a minute apart by its own clock, which runs ahead of ours.
const STEP_MS: i64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Collector,
    Aggregator,
}

/// What the load has done when it ends.
struct Load {
    sender: Sender,
    oracle: Oracle,
    /// Everything sent, with the sender's numbers.
    sent: Vec<(usize, Message)>,
    /// How many different messages there are among them.
    messages: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_kills_lose_nothing_and_invent_nothing() {
    let seed = seed();
    let mut rng = StdRng::seed_from_u64(seed);
    let broker = Mosquitto::start().await;
    let site = tempfile::tempdir().unwrap();
    // So long ago that the last reading of the longest run is not in the future.
    let start_ms = chrono::Utc::now().timestamp_millis() - 15 * 86_400_000;
    let fleet = Fleet::new(METERS, start_ms);
    fleet.write_site(site.path(), broker.port(), None);
    let data = site.path().join("data");
    let folder = path_of(&site);
    let mut collector = Steward::prepare(&["collector", "--config", folder]);
    collector.spawn();
    let mut aggregator = Steward::start(&["aggregator", "--config", folder]).await;
    collector.wait_ready().await;
    let store = StoreReader::open(&data.join("store"));
    let mut journal = JournalReader::open(&data.join("journal")).unwrap();

    let stop = CancellationToken::new();
    let repeated = Arc::new(AtomicU64::new(0));
    let load = tokio::spawn(load(
        fleet.clone(),
        Sender::start(broker.port()),
        Arc::clone(&repeated),
        stop.clone(),
    ));
    let (mut in_time, mut at_commit) = (0, 0);
    for target in targets(&mut rng) {
        if rng.random_bool(0.5) {
            at_commit += 1;
            match target {
                Target::Collector => journal_commit(&mut journal).await,
                Target::Aggregator => store_commit(&store).await,
            }
        } else {
            in_time += 1;
            // The random moment is what is tested; nothing is waited for.
            let pause_ms = rng.random_range(50..3_000);
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
        let victim = match target {
            Target::Collector => &mut collector,
            Target::Aggregator => &mut aggregator,
        };
        victim.kill();
        victim.spawn();
    }
    // At least once a kill has to come between commit and acknowledgement, so that the broker
    // delivers again what is in the journal already: more copies than were sent on purpose.
    while store.counts().await.unwrap().duplicates <= repeated.load(Ordering::Relaxed) {
        at_commit += 1;
        assert!(at_commit < 10 * KILLS, "the broker delivered nothing again");
        journal_commit(&mut journal).await;
        collector.kill();
        collector.spawn();
        store_commit(&store).await;
    }
    stop.cancel();
    let load = load.await.unwrap();
    collector.wait_ready().await;
    aggregator.wait_ready().await;

    let (load, marker) = finish(&fleet, load).await;
    let (oracle, repeated) = (load.oracle, repeated.load(Ordering::Relaxed));
    wait_for(&store, &marker).await;
    let counts = drained(&store, &mut journal).await;
    check_metrics(&collector, &aggregator).await;
    let found = Found::read(&data);
    let verdict = oracle.judge(&found);
    let redelivered = counts.duplicates.saturating_sub(repeated);
    println!(
        "kills: {in_time} at a random time, {at_commit} right after a commit; sent {} readings, \
         acknowledged {}, stored {}, recovered {}, duplicates {} of which {redelivered} by the \
         broker",
        oracle.attempted(),
        verdict.acknowledged,
        verdict.stored,
        verdict.recovered,
        counts.duplicates,
    );
    verdict.expect_clean();
    assert_eq!(found.set_aside, BTreeSet::new(), "nothing sent was bad");
    assert_eq!(journal.counts().unwrap().items, 0, "nothing sent was bad");
    assert!(repeated > 0, "no gateway repeated itself");
    assert!(redelivered > 0, "{} duplicates", counts.duplicates);

    assert!(collector.stop().await.success());
    assert!(aggregator.stop().await.success());
    let verified = Steward::once(&["verify", "--config", folder]).await;
    let words = verified.expect_success();
    assert!(
        words.contains(&format!("verify: {METERS} points,"))
            && words.contains("closure error 0 base units, 0 days wait, 0 faults"),
        "{words}"
    );
}

/// The seed of this run: the one of the variable `SEED`, or a new one. It is printed either way.
fn seed() -> u64 {
    let given = std::env::var("SEED").ok();
    let seed = given.map_or_else(rand::random, |text| text.parse().unwrap());
    println!("SEED={seed}");
    seed
}

/// Both programs equally often, in random order.
fn targets(rng: &mut StdRng) -> Vec<Target> {
    let both = [Target::Collector, Target::Aggregator];
    let mut targets: Vec<Target> = both.into_iter().cycle().take(KILLS).collect();
    targets.shuffle(rng);
    targets
}

/// Sends until it is told to stop. `repeated` counts readings that are sent again on purpose.
async fn load(
    fleet: Fleet,
    mut sender: Sender,
    repeated: Arc<AtomicU64>,
    stop: CancellationToken,
) -> Load {
    let mut oracle = Oracle::default();
    let mut sent: Vec<(usize, Message)> = Vec::new();
    let mut messages = 0;
    let mut rounds = tokio::time::interval(ROUND);
    while !stop.is_cancelled() {
        rounds.tick().await;
        for _ in 0..MESSAGES_PER_ROUND {
            let message = message(&fleet, messages);
            messages += 1;
            oracle.attempt(&message.readings);
            sent.push((sender.send(&message).await, message));
            if messages % REPEAT_EVERY == 0 {
                let earlier = sent[sent.len() - REPEAT_EVERY / 2].1.clone();
                repeated.fetch_add(earlier.readings.len() as u64, Ordering::Relaxed);
                sent.push((sender.send(&earlier).await, earlier));
            }
        }
    }
    Load {
        sender,
        oracle,
        sent,
        messages,
    }
}

/// The messages of all meters in turn.
fn message(fleet: &Fleet, number: usize) -> Message {
    let (meter, step) = (number % METERS, number / METERS);
    let at_ms = fleet.start_ms + i64::try_from(step).unwrap() * STEP_MS;
    fleet.message(meter, at_ms, step)
}

/// Sends one more message after all the trouble. The broker keeps the order, so when its readings
/// are stored everything before them has come through.
async fn finish(fleet: &Fleet, mut load: Load) -> (Load, Message) {
    let marker = message(fleet, load.messages);
    load.oracle.attempt(&marker.readings);
    let number = load.sender.send(&marker).await;
    load.sent.push((number, marker.clone()));
    load.sender.settled().await;
    let acknowledged = load.sender.acknowledged();
    for (number, message) in &load.sent {
        if acknowledged[*number] {
            load.oracle.acknowledge(&message.readings);
        }
    }
    (load, marker)
}

async fn wait_for(store: &StoreReader, message: &Message) {
    for ((meter, quantity, at), _) in &message.readings {
        let meter = MeterId::new(meter).unwrap();
        let (from, to) = (UtcMs(*at), UtcMs(*at + 1));
        wait_until("a fresh event to pass", LONG, async || {
            let readings = store.readings(&meter, *quantity, from, to, 1).await;
            (readings.unwrap().len() == 1).then_some(())
        })
        .await;
    }
}

/// Waits until the store accounts for everything in the journal and the ledger is computed.
async fn drained(store: &StoreReader, journal: &mut JournalReader) -> StoreCounts {
    wait_until("journal and marks to be empty", LONG, async || {
        let counts = store.counts().await.unwrap();
        let received = journal.counts().unwrap().readings;
        (counts.accounted == received && counts.dirty == 0).then_some(counts)
    })
    .await
}

/// received = stored + queued + quarantined, over the two programs.
async fn check_metrics(collector: &Steward, aggregator: &Steward) {
    wait_until("the counters to add up", SHORT, async || {
        let of = async |name| aggregator.metric(name).await.unwrap();
        let received = collector.metric("steward_journal_received_total").await;
        let accounted = of("steward_aggregator_readings_stored_total").await
            + of("steward_aggregator_readings_queued").await
            + of("steward_aggregator_readings_quarantined_total").await;
        (received == Some(accounted)).then_some(())
    })
    .await;
}

/// Waits for the next commit of the journal; the messages in it are not acknowledged yet.
async fn journal_commit(journal: &mut JournalReader) {
    let before = journal.counts().unwrap().last_seq;
    let begun = std::time::Instant::now();
    while journal.counts().unwrap().last_seq == before {
        assert!(begun.elapsed() < LONG, "the journal grows no more");
        tokio::task::yield_now().await;
    }
}

/// Waits for the next commit of the store; the journal does not know of it yet.
async fn store_commit(store: &StoreReader) {
    let before = store.counts().await.unwrap().cursor;
    let begun = std::time::Instant::now();
    while store.counts().await.unwrap().cursor == before {
        assert!(begun.elapsed() < LONG, "the store grows no more");
    }
}

mod judge {
    //! The oracle itself: a judge that cannot convict proves nothing.

    use super::*;

    fn key(at: i64) -> Key {
        ("m".to_owned(), Quantity::Power, at)
    }

    fn oracle() -> Oracle {
        let mut oracle = Oracle::default();
        let sent: Vec<(Key, f64)> = (0..200_i32)
            .map(|at| (key(i64::from(at)), f64::from(at)))
            .collect();
        oracle.attempt(&sent);
        oracle.acknowledge(&sent[..150]);
        oracle
    }

    fn found(ats: impl IntoIterator<Item = i32>) -> Found {
        let stored = ats
            .into_iter()
            .map(|at| (key(i64::from(at)), f64::from(at)));
        Found {
            stored: stored.collect(),
            set_aside: BTreeSet::new(),
        }
    }

    #[test]
    fn what_is_whole_is_clean_and_more_than_promised_is_recovered() {
        let verdict = oracle().judge(&found(0..160));
        assert_eq!((verdict.acknowledged, verdict.recovered), (150, 10));
        verdict.expect_clean();
    }

    #[test]
    fn each_offence_is_found() {
        let lost = oracle().judge(&found((0..160).filter(|at| *at != 7)));
        assert_eq!(lost.lost, [key(7)]);
        let doubled = oracle().judge(&found((0..160).chain([9])));
        assert_eq!(doubled.doubled, [key(9)]);
        let invented = oracle().judge(&found((0..160).chain([999])));
        assert_eq!(invented.invented, [key(999)]);
        let mut changed = found(0..160);
        changed.stored[3].1 = 3.25;
        assert_eq!(oracle().judge(&changed).wrong, [(key(3), 3.25)]);
        for (verdict, word) in [
            (lost, "lost"),
            (doubled, "doubled"),
            (invented, "invented"),
            (oracle().judge(&changed), "wrong"),
        ] {
            let offence = verdict.offence().unwrap();
            assert!(
                offence.starts_with("1 readings are ") && offence.contains(word),
                "{offence}"
            );
        }
    }

    #[test]
    fn what_is_set_aside_is_not_lost() {
        let mut found = found((0..160).filter(|at| *at != 7));
        found.set_aside.insert(key(7));
        oracle().judge(&found).expect_clean();
    }

    #[test]
    fn a_test_without_load_proves_nothing() {
        let verdict = Oracle::default().judge(&Found::default());
        assert!(verdict.offence().unwrap().contains("nothing is proved"));
    }
}
