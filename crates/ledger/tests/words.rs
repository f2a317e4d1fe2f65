//! What callers hold: the words of the books, and the steps that a sink hears.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use chrono::NaiveDate;
use chrono_tz::Tz;
use common::{meter, raw};
use steward_ledger::{Confirmed, Confirmer, Past, Replaced, Sink};

/// The names of the books' words, so that a caller's code reads as the books do.
#[test]
fn the_past_is_plain_data() {
    let replaced = Replaced {
        point: common::point(),
        at_ms: 1,
        old_meter: meter("a"),
        old_last: 2.0,
        new_meter: meter("b"),
        new_first: 0.0,
        others: Vec::new(),
        event: 5,
    };
    assert_eq!(replaced.clone(), replaced);
}

/// So that the compiler holds the trait to what others implement.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn confirmed(&mut self, _: Confirmed, _: steward_ledger::How) {
        self.0 += 1;
    }
    fn rebased(&mut self, _: i64) {}
    fn broken(&mut self) {}
    fn linked(&mut self, _: Confirmed, _: steward_ledger::How, _: Confirmed) {
        self.0 += 1;
    }
    fn found(&mut self, _: steward_model::Finding) {}
}

#[test]
fn a_sink_hears_every_confirmed_reading() {
    let from = NaiveDate::from_ymd_opt(2026, 3, 27).unwrap();
    let chain = common::simple_chain(Tz::UTC, 1, from, None);
    let past = Past::default();
    let mut confirmer = Confirmer::new(
        &chain,
        &chain.lineages[0],
        common::rules().gaps,
        &past,
        None,
    );
    let mut count = Count::default();
    for (at_ms, value) in [(0, 5.0), (1, 6.0), (2, 3.0), (3, 6.5)] {
        confirmer.read(raw(chain.lineages[0].from_ms + at_ms, value), &mut count);
    }
    assert_eq!(count.0, 3);
}
