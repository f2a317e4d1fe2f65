//! Laws of the fold, over any sequence of events.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::collections::BTreeMap;

use proptest::prelude::*;
use steward_books::{Access, Books, BooksError, CloseState, Entry, Event, State, Verdict};
use support::{
    append, approval, decision, entry, hand_reading, hour, invoice, proposal, rejection,
    replacement, undone, voided,
};

/// Any event but an undoing, of a world so small that events meet.
fn fact() -> impl Strategy<Value = Event> {
    let at = || (0..6_u8).prop_map(|step| hour(f64::from(step)));
    let value = || (0..4_u8).prop_map(f64::from);
    let meter = || prop::sample::select(vec!["m1", "m2", "m3"]);
    let month = prop::sample::select(vec!["2025-01", "2025-02"]);
    prop_oneof![
        1 => (at(), (meter(), value()), (meter(), value()))
            .prop_map(|(at, old, new)| replacement(at, old, new)),
        1 => (at(), verdict()).prop_map(|(at, verdict)| decision(at, verdict)),
        1 => (at(), value()).prop_map(|(at, value)| hand_reading(at, value)),
        1 => (at(), at()).prop_map(|(from, to)| voided(from, to)),
        1 => (1..4_u32, 1..4_u32).prop_map(|(number, month)| {
            let days = (format!("2025-{month:02}-01"), format!("2025-{:02}-01", month + 1));
            Event::InvoiceEntered(invoice(&number.to_string(), &days.0, &days.1))
        }),
        3 => (month, 1..4_u32).prop_map(|(month, revision)| proposal(month, revision)),
        2 => (1..30_u64).prop_map(approval),
        1 => (1..30_u64).prop_map(rejection),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Accept),
        Just(Verdict::Rollover),
        Just(Verdict::Restart),
        (0..6_u8).prop_map(|step| Verdict::Discard {
            until: hour(f64::from(step))
        }),
    ]
}

fn by() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["wang", "li", "zhao"])
}

/// Entries without undoings, numbered from 1.
fn facts() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::vec((by(), fact()), 1..30).prop_map(|facts| {
        let numbered = (1..).zip(facts);
        numbered
            .map(|(seq, (by, event))| entry(seq, by, event))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    /// Events with their undoings leave what the books are without both, wherever they are undone.
    #[test]
    fn an_undone_pair_leaves_no_trace(
        facts in facts(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..30_usize), 0..6),
    ) {
        // Who is undone, after how many entries.
        let mut undoings: BTreeMap<u64, usize> = BTreeMap::new();
        for (pick, place) in picks {
            let target = pick.get(&facts).seq;
            undoings.insert(target, place.max(usize::try_from(target).unwrap()));
        }
        let mut with_pairs = Vec::new();
        let mut seq = 1_000;
        for (index, fact) in facts.iter().enumerate() {
            with_pairs.push(fact.clone());
            let last = index + 1 == facts.len();
            for (target, _) in undoings
                .iter()
                .filter(|(_, place)| **place == index + 1 || (last && **place > index))
            {
                with_pairs.push(entry(seq, "wang", undone(*target)));
                seq += 1;
            }
        }
        let without: Vec<Entry> = facts
            .iter()
            .filter(|fact| !undoings.contains_key(&fact.seq))
            .cloned()
            .collect();
        let undone = State::of(&with_pairs);
        prop_assert_eq!(&undone, &State::of(&without));
        prop_assert_eq!(Some(undone.seq()), with_pairs.iter().map(|entry| entry.seq).max());
    }

}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// The state does not depend on where the fold was interrupted, and an undoing of nothing
    /// changes nothing.
    #[test]
    fn the_fold_can_go_on_anywhere(facts in facts(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(facts.len());
        let mut state = State::of(&facts[..cut]);
        state.apply(&entry(500, "wang", undone(999)));
        facts[cut..].iter().for_each(|fact| state.apply(fact));
        prop_assert_eq!(state.undone_by(999), None);
        prop_assert_eq!(state, State::of(&facts));
    }

    /// Every view shows the standing events once, in its order.
    #[test]
    fn views_are_ordered_and_whole(facts in facts()) {
        let state = State::of(&facts);
        let count = |kind: &str| facts.iter().filter(|fact| fact.event.kind() == kind).count();
        let replacements = state.replacements();
        prop_assert_eq!(replacements.len(), count("meter_replaced"));
        prop_assert!(replacements.is_sorted_by_key(|(seq, one)| (one.point.clone(), one.at, *seq)));
        prop_assert_eq!(&state.replacements_of(&support::point("p")), &replacements);
        prop_assert_eq!(state.hand_readings().len(), count("hand_reading"));
        prop_assert_eq!(state.voided().len(), count("readings_voided"));
        prop_assert_eq!(state.invoices().len(), count("invoice_entered"));
        prop_assert_eq!(state.invoices_of("grid").len(), count("invoice_entered"));
        prop_assert_eq!(state.closes().len(), count("close_proposed"));
        // Of the decisions on a key the last one holds.
        let mut last = BTreeMap::new();
        for fact in &facts {
            if let Event::ReviewDecided(one) = &fact.event {
                last.insert(one.at, (fact.seq, one));
            }
        }
        prop_assert_eq!(state.decisions(), last.into_values().collect::<Vec<_>>());
        for month in ["2025-01", "2025-02"] {
            let closes = state.closes_of(&support::institution(), month);
            let of = |state| closes.iter().filter(|close| close.state == state).count();
            prop_assert!(of(CloseState::Closed) <= 1);
            prop_assert!(of(CloseState::Superseded) == 0 || of(CloseState::Closed) == 1);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is tried, the books stay whole and keep their rules, and a second process sees the
    /// same.
    #[test]
    fn books_keep_their_rules(
        tried in prop::collection::vec((by(), prop_oneof![
            4 => fact(),
            1 => (1..30_u64).prop_map(undone),
        ]), 1..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let books = Books::open(dir.path(), Access::Write).unwrap();
        let beside = Books::open(dir.path(), Access::Read).unwrap();
        let mut last = 0;
        for (by, event) in tried {
            match append(&books, by, event) {
                Ok(entry) => {
                    last += 1;
                    prop_assert_eq!(entry.seq, last);
                }
                Err(BooksError::Refused(refusals)) => prop_assert!(!refusals.is_empty()),
                Err(error) => panic!("{error}"),
            }
            prop_assert_eq!(books.last_seq().unwrap(), last);
            prop_assert_eq!(&*beside.state().unwrap(), &*books.state().unwrap());
        }
        let entries = beside.entries(0, usize::MAX).unwrap();
        let state = State::of(&entries);
        prop_assert_eq!(&*books.state().unwrap(), &state);
        prop_assert_eq!(books.verify().unwrap(), None);
        for close in state.closes() {
            if close.closed_at.is_some() {
                prop_assert_ne!(Some(&close.proposed_by), close.decided_by.as_ref());
            }
        }
        for month in ["2025-01", "2025-02"] {
            let closes = state.closes_of(&support::institution(), month);
            let approved = closes.iter().filter(|close| close.closed_at.is_some());
            let revisions: Vec<u32> = approved.map(|close| close.revision).collect();
            prop_assert_eq!(&revisions, &(1..).take(revisions.len()).collect::<Vec<u32>>());
            let waiting = closes.iter().filter(|close| close.state == CloseState::Provisional);
            prop_assert!(waiting.count() <= 1);
        }
        let invoices = state.invoices_of("grid");
        for (seq, one) in &invoices {
            let clash = invoices.iter().any(|(other_seq, other)| {
                other_seq != seq
                    && (other.number == one.number || one.from < other.to && other.from < one.to)
            });
            prop_assert!(!clash, "{one:?}");
        }
        // Along the time each meter leaves once at most, and comes once at most.
        let replacements = state.replacements();
        let moves = |pick: fn(&steward_books::Replacement) -> &steward_model::MeterId| {
            let real = replacements.iter().filter(|(_, one)| one.old_meter != one.new_meter);
            let mut meters: Vec<_> = real.map(|(_, one)| pick(one).clone()).collect();
            meters.sort_unstable();
            meters.windows(2).all(|pair| pair[0] != pair[1])
        };
        prop_assert!(moves(|one| &one.old_meter) && moves(|one| &one.new_meter));
        // What was taken back shows it, once.
        for entry in &entries {
            prop_assert_eq!(entry.undone_by, state.undone_by(entry.seq));
        }
    }
}
