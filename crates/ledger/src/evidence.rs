//! Findings and the numbers on which they rest.

use steward_model::{Evidence, Finding, FindingKind, FindingState, UtcMs};

use crate::chain::{Chain, Lineage};
use crate::register::{Confirmed, Raw};
use crate::run::Run;

/// Readings that make one finding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Group {
    /// The last confirmed register before it and the service in whose frame it stands.
    pub(crate) before: Option<(usize, Confirmed)>,
    first: Raw,
    last: Raw,
    count: u64,
}

impl Group {
    pub(crate) const fn of(first: Raw, before: Option<(usize, Confirmed)>) -> Self {
        Self {
            before,
            first,
            last: first,
            count: 1,
        }
    }

    pub(crate) const fn add(&mut self, next: Raw) {
        self.last = next;
        self.count += 1;
    }
}

/// What a finding is about.
pub(crate) struct About {
    pub(crate) first: Raw,
    pub(crate) last: Raw,
    pub(crate) held_out: u64,
    pub(crate) after: Option<Raw>,
}

impl About {
    pub(crate) const fn run(run: &Run, after: Option<Raw>) -> Self {
        Self {
            first: run.first.raw,
            last: run.last.raw,
            held_out: run.count,
            after,
        }
    }

    pub(crate) const fn group(group: &Group, after: Option<Raw>) -> Self {
        Self {
            first: group.first,
            last: group.last,
            held_out: group.count,
            after,
        }
    }

    pub(crate) const fn reading(raw: Raw, held_out: u64) -> Self {
        Self {
            first: raw,
            last: raw,
            held_out,
            after: None,
        }
    }
}

/// The finding; `before` is the last confirmed register and the service in whose frame it stands.
pub(crate) fn finding(
    chain: &Chain,
    lineage: &Lineage,
    before: Option<(usize, Confirmed)>,
    kind: FindingKind,
    state: FindingState,
    about: &About,
) -> Finding {
    let shown = |raw: Raw| (UtcMs(raw.at_ms), raw.value);
    let service = &lineage.services[lineage.service_at(about.first.at_ms)];
    let before = before.and_then(|(frame, last)| {
        let ratio = f64::from(lineage.services.get(frame)?.ratio);
        Some((UtcMs(last.at_ms), last.register_base as f64 / ratio))
    });
    let counter = service.counter;
    let rise_max = before.and_then(|(at, _)| {
        let hours = (about.first.at_ms - at.0) as f64 / 3_600_000.0;
        Some(counter.rise_max_per_h? * hours + counter.resolution)
    });
    Finding {
        point: chain.point.clone(),
        meter: service.meter.clone(),
        quantity: chain.quantity,
        at: UtcMs(about.first.at_ms),
        until: UtcMs(about.last.at_ms),
        held_out: about.held_out,
        kind,
        state,
        evidence: Evidence {
            before,
            first: shown(about.first),
            last: shown(about.last),
            after: about.after.map(shown),
            modulus: counter.modulus,
            resolution: (counter.resolution > 0.0).then_some(counter.resolution),
            rise_max,
            flowed: None,
        },
    }
}
