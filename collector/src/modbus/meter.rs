//! One meter on a bus: its blocks, what was learnt about them, and one poll.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use chrono::NaiveDate;
use chrono_tz::Tz;
use steward_config::RegisterSpec;
use steward_journal::{Quarantined, Reason};
use steward_model::{GatewayId, MeterId, Quantity, Reading, ReadingQuality, UtcMs};
use tokio::time::Instant;

use super::decode::{DecodeError, decode_registers};
use super::link::{Ask, Link, LinkError, Severity};
use super::plan::{Block, blocks};
use crate::Clock;
use crate::backoff::Backoff;

/// After this long the refused registers are asked for again: the device may have been mended.
const REPLAN_AFTER: Duration = Duration::from_secs(3_600);

/// What went wrong in a poll.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// The word in metrics.
    pub(crate) reason: &'static str,
    /// The sentence for people.
    pub(crate) text: String,
}

/// The result of one poll.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What was read; each at our time of its answer. The clock is ours by design, no meter's clock
    /// is doubted, so the quality is good.
    pub(crate) readings: Vec<Reading>,
    /// Registers that began to hold no number.
    pub(crate) quarantine: Vec<Quarantined>,
    /// What went wrong.
    pub(crate) faults: Vec<Fault>,
    /// Requests made.
    pub(crate) requests: u64,
    /// Whether the connection can no longer be trusted.
    pub(crate) broken: bool,
}

impl Outcome {
    /// Whether the other side closed the connection before it answered anything.
    pub(crate) fn hung_up(&self) -> bool {
        self.readings.is_empty() && self.faults.iter().all(|fault| fault.reason == "io")
    }

    fn fault(&mut self, reason: &'static str, text: String) {
        self.faults.push(Fault { reason, text });
    }
}

struct BlockState {
    block: Block,
    backoff: Backoff,
    not_before: Option<Instant>,
}

impl BlockState {
    fn new(block: Block) -> Self {
        Self {
            block,
            backoff: Backoff::meter(),
            not_before: None,
        }
    }

    fn waits(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|until| now < until)
    }

    fn fail(&mut self) {
        self.not_before = Some(Instant::now() + self.backoff.fail());
    }

    fn succeed(&mut self) {
        self.backoff.reset();
        self.not_before = None;
    }
}

/// How one meter is read.
pub(crate) struct MeterTask {
    pub(crate) id: MeterId,
    gateway: GatewayId,
    unit: u8,
    pub(crate) interval: Duration,
    zone: Tz,
    from: NaiveDate,
    to: Option<NaiveDate>,
    specs: Vec<RegisterSpec>,
    probe: Option<(RegisterSpec, f64, f64)>,
    request_cost: u16,
    proven: bool,
    plan: Vec<BlockState>,
    replan_at: Option<Instant>,
    /// Quantities whose registers hold no number at present.
    bad: BTreeSet<Quantity>,
    pub(crate) backoff: Backoff,
}

/// What a meter is made of.
pub(crate) struct MeterParts {
    pub(crate) id: MeterId,
    pub(crate) gateway: GatewayId,
    pub(crate) unit: u8,
    pub(crate) interval: Duration,
    pub(crate) zone: Tz,
    pub(crate) from: NaiveDate,
    pub(crate) to: Option<NaiveDate>,
    pub(crate) specs: Vec<RegisterSpec>,
    pub(crate) probe: Option<(RegisterSpec, f64, f64)>,
    pub(crate) request_cost: u16,
}

impl MeterTask {
    pub(crate) fn new(parts: MeterParts) -> Self {
        let plan = blocks(&parts.specs, parts.request_cost);
        Self {
            id: parts.id,
            gateway: parts.gateway,
            unit: parts.unit,
            interval: parts.interval,
            zone: parts.zone,
            from: parts.from,
            to: parts.to,
            proven: parts.probe.is_none(),
            probe: parts.probe,
            request_cost: parts.request_cost,
            plan: plan.into_iter().map(BlockState::new).collect(),
            specs: parts.specs,
            replan_at: None,
            bad: BTreeSet::new(),
            backoff: Backoff::meter(),
        }
    }

    /// Whether the meter serves its point at `now`.
    pub(crate) fn in_service(&self, now: UtcMs) -> bool {
        let date = steward_model::time::local_date(self.zone, now.seconds_floor());
        self.from <= date && self.to.is_none_or(|to| date < to)
    }

    /// Reads every block that is not held back. What was read before a failure is kept.
    pub(crate) async fn poll<L: Link>(&mut self, link: &mut L, clock: &Clock) -> Outcome {
        let mut outcome = Outcome::default();
        self.replan_if_due();
        if self.prove(link, clock, &mut outcome).await {
            self.read_plan(link, clock, &mut outcome).await;
        }
        if outcome.readings.is_empty() {
            // Whoever answers next may be another device.
            self.proven = self.probe.is_none();
        }
        outcome
    }

    fn replan_if_due(&mut self) {
        let due = self.replan_at.is_some_and(|at| at <= Instant::now());
        if due || self.plan.is_empty() {
            self.plan = blocks(&self.specs, self.request_cost)
                .into_iter()
                .map(BlockState::new)
                .collect();
            self.replan_at = None;
        }
    }

    /// True when the probe register shows that the profile fits, or cannot be asked.
    async fn prove<L: Link>(&mut self, link: &mut L, clock: &Clock, out: &mut Outcome) -> bool {
        let (false, Some((spec, low, high))) = (self.proven, self.probe.clone()) else {
            return true;
        };
        let Some(block) = blocks(std::slice::from_ref(&spec), 0).pop() else {
            return true;
        };
        match self.ask(link, &block, out).await {
            Ok(words) => match decode_registers(&spec, &words) {
                Ok(value) if (low..=high).contains(&value.get()) => self.proven = true,
                Ok(value) => out.fault(
                    "implausible_probe",
                    format!(
                        "the probe {} is {} and should lie in {low}..{high}: is it another model, \
                         or another word order?",
                        spec.quantity,
                        value.get()
                    ),
                ),
                Err(error) => {
                    let now = clock();
                    self.refuse(&spec, &words, now, error, out);
                }
            },
            Err(error) if error.severity() == Severity::Permanent => {
                out.fault(error.id(), format!("the probe {}: {error}", spec.quantity));
                self.proven = true;
            }
            Err(error) => self.note(&block, &error, out),
        }
        self.proven
    }

    async fn read_plan<L: Link>(&mut self, link: &mut L, clock: &Clock, out: &mut Outcome) {
        let now = Instant::now();
        let all_wait = self.plan.iter().all(|state| state.waits(now));
        let mut open: VecDeque<BlockState> = std::mem::take(&mut self.plan).into();
        let mut kept = Vec::with_capacity(open.len());
        let mut abandoned = false;
        while let Some(mut state) = open.pop_front() {
            if abandoned || (state.waits(now) && !all_wait) {
                kept.push(state);
                continue;
            }
            let error = match self.ask(link, &state.block, out).await {
                Ok(words) => {
                    state.succeed();
                    self.take_values(&state.block, &words, clock(), out);
                    kept.push(state);
                    continue;
                }
                Err(error) => error,
            };
            match error.severity() {
                Severity::Permanent => {
                    self.replan_at
                        .get_or_insert_with(|| Instant::now() + REPLAN_AFTER);
                    let whole_function = error == LinkError::Exception(1);
                    match state.block.halves() {
                        Some((left, right)) if !whole_function => {
                            open.push_front(BlockState::new(right));
                            open.push_front(BlockState::new(left));
                        }
                        // The register stays out of the plan until it is made anew.
                        _ => self.note(&state.block, &error, out),
                    }
                }
                severity => {
                    self.note(&state.block, &error, out);
                    // A closed connection says nothing about the block.
                    if !matches!(error, LinkError::Io(_)) {
                        state.fail();
                    }
                    kept.push(state);
                    abandoned = severity != Severity::Transient;
                }
            }
        }
        self.plan = kept;
    }

    async fn ask<L: Link>(
        &self,
        link: &mut L,
        block: &Block,
        out: &mut Outcome,
    ) -> Result<Vec<u16>, LinkError> {
        out.requests += 1;
        let words = link
            .read(Ask {
                unit: self.unit,
                function: block.function,
                address: block.address,
                count: block.count,
            })
            .await?;
        if words.len() == usize::from(block.count) {
            Ok(words)
        } else {
            Err(LinkError::WrongCount {
                asked: block.count,
                got: words.len(),
            })
        }
    }

    fn note(&self, block: &Block, error: &LinkError, out: &mut Outcome) {
        out.broken |= error.severity() == Severity::Line;
        let names: Vec<&str> = block.specs.iter().map(|s| s.quantity.id()).collect();
        let last = block.address.saturating_add(block.count.saturating_sub(1));
        out.fault(
            error.id(),
            format!(
                "function {}, registers {}..{last} ({}): {error}",
                block.function,
                block.address,
                names.join(", ")
            ),
        );
    }

    fn take_values(&mut self, block: &Block, words: &[u16], at: UtcMs, out: &mut Outcome) {
        for spec in &block.specs {
            let first = block.offset_of(spec);
            let own = words
                .get(first..first + usize::from(spec.kind.words()))
                .unwrap_or_default();
            match decode_registers(spec, own) {
                Ok(value) => {
                    self.bad.remove(&spec.quantity);
                    out.readings.push(Reading {
                        meter: self.id.clone(),
                        quantity: spec.quantity,
                        at,
                        value,
                        quality: ReadingQuality::Good,
                    });
                }
                Err(error) => self.refuse(spec, own, at, error, out),
            }
        }
    }

    /// Every refused value is counted; its bytes are kept when a quantity begins to be refused, since
    /// a register that is always NaN would otherwise fill the journal.
    fn refuse(
        &mut self,
        spec: &RegisterSpec,
        words: &[u16],
        at: UtcMs,
        error: DecodeError,
        out: &mut Outcome,
    ) {
        let text = format!(
            "{}, function {}, address {}: {error}",
            spec.quantity, spec.function, spec.address
        );
        if self.bad.insert(spec.quantity) {
            out.quarantine.push(Quarantined {
                received_at: at,
                gateway: self.gateway.clone(),
                source: format!("{}/{}", self.id, spec.quantity),
                reason: reason_of(error),
                detail: text.clone(),
                payload: words.iter().flat_map(|word| word.to_be_bytes()).collect(),
            });
        }
        out.fault(error.id(), text);
    }
}

/// The journal's word for a refusal.
pub(crate) const fn reason_of(error: DecodeError) -> Reason {
    match error {
        DecodeError::WordCount { .. } => Reason::WrongLength,
        DecodeError::NotDecimal | DecodeError::NotABit => Reason::BadEncoding,
        DecodeError::NotFinite => Reason::NotANumber,
        DecodeError::Unrepresentable => Reason::OutOfRange,
    }
}
