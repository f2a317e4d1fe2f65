//! Findings and fills in words.

use chrono_tz::Tz;
use steward_books::{Event, Verdict};
use steward_model::{Fill, FillRule, Finding, FindingKind, FindingState, UtcMs};

use super::view::{DecisionView, FillView, FindingView};
use crate::books::BooksView;
use crate::compose::rfc3339;

/// The Chinese name of a kind.
pub const fn kind_zh(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Rollover => "过零翻转",
        FindingKind::Reset => "归零",
        FindingKind::Replacement => "换表",
        FindingKind::Jitter => "分辨率内抖动",
        FindingKind::Glitch => "跳变",
        FindingKind::Fall => "倒走",
        FindingKind::Rise => "突增",
        FindingKind::Frozen => "停走",
        FindingKind::ExchangeWithoutRegisters => "换表缺底度",
        FindingKind::OutOfRange => "超出量程",
    }
}

pub(super) fn finding(zone: Tz, books: &BooksView, one: &Finding) -> FindingView {
    let (state, event) = match one.state {
        FindingState::ByRule => ("by_rule", None),
        FindingState::Open => ("open", None),
        FindingState::Decided(event) => ("decided", Some(event)),
    };
    FindingView {
        id: one.id(),
        point: one.point.to_string(),
        meter: one.meter.to_string(),
        quantity: one.quantity.id().to_owned(),
        at: rfc3339(zone, one.at),
        until: rfc3339(zone, one.until),
        kind: one.kind.id().to_owned(),
        kind_zh: kind_zh(one.kind).to_owned(),
        state: state.to_owned(),
        held_out: one.held_out,
        before: one.evidence.before.map(|(_, value)| value),
        first: one.evidence.first.1,
        after: one.evidence.after.map(|(_, value)| value),
        decision: event.and_then(|event| decision(zone, books, event)),
    }
}

fn decision(zone: Tz, books: &BooksView, event: u64) -> Option<DecisionView> {
    let entry = books.entries.iter().find(|entry| entry.seq == event)?;
    let verdict = match &entry.event {
        Event::ReviewDecided(decision) => match decision.verdict {
            Verdict::Accept => "accept",
            Verdict::Rollover => "rollover",
            Verdict::Restart => "restart",
            Verdict::Discard { .. } => "discard",
        },
        other => other.kind(),
    };
    Some(DecisionView {
        event,
        by: entry.by.clone(),
        at: rfc3339(zone, entry.entered_at),
        reason: entry.reason.clone(),
        verdict: verdict.to_owned(),
    })
}

pub(super) fn fill(zone: Tz, one: &Fill) -> FillView {
    let (rule, text_zh, text_en) = match &one.rule {
        FillRule::Even { days_found } => (
            "even",
            format!("平均分摊：可参照的实测日仅 {days_found} 天"),
            format!("Spread evenly: only {days_found} measured days to go by"),
        ),
        FillRule::Shape {
            basis_from,
            basis_to,
            days,
            by_temperature,
        } => (
            "shape",
            format!(
                "按本点同类日负荷曲线分摊：{basis_from} 至 {basis_to} 前的 {days} 天{}",
                if *by_temperature {
                    "（气温相近）"
                } else {
                    ""
                }
            ),
            format!(
                "Spread by the point's own load on {days} days of the same kind{} from \
                 {basis_from} to before {basis_to}",
                if *by_temperature {
                    " and temperature"
                } else {
                    ""
                }
            ),
        ),
    };
    let local = |at: UtcMs| rfc3339(zone, at);
    FillView {
        from: local(one.from),
        to: local(one.to),
        amount_base: one.amount_base,
        rule: rule.to_owned(),
        text_zh,
        text_en,
    }
}
