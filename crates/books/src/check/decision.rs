//! A decision against the finding that it decides.

use steward_model::{Finding, FindingKind};

use super::World;
use super::registers::finding;
use super::series::meter;
use crate::event::{Decision, Verdict};
use crate::{BooksError, Refusal};

pub(super) async fn check(
    world: World<'_>,
    new: &Decision,
    refusals: &mut Vec<Refusal>,
) -> Result<(), BooksError> {
    let Some(meter) = meter(world.config, &new.meter, refusals) else {
        return Ok(());
    };
    if let Verdict::Discard { until } = new.verdict {
        world.not_ahead("verdict.until", until, refusals);
    }
    let limits = meter.counters.get(&new.quantity);
    let modulus = limits.and_then(|limits| limits.modulus);
    if new.verdict == Verdict::Rollover && modulus.is_none() {
        refusals.push(
            Refusal::new("verdict", "rollover", "a meter whose modulus is known").hint(format!(
                "say the digits of {} of `{}` in the registry or the profile",
                new.quantity, meter.id
            )),
        );
    }
    match finding(world, &new.meter, new.quantity, new.at).await? {
        Some(finding) => fits(&finding, new.verdict, modulus, refusals),
        None => refusals.push(
            Refusal::new(
                "at",
                new.at.0,
                "the time at which a finding of the series begins",
            )
            .hint("the list of reviews has them"),
        ),
    }
    Ok(())
}

/// Which verdicts a kind of finding can have.
fn fits(finding: &Finding, verdict: Verdict, modulus: Option<f64>, refusals: &mut Vec<Refusal>) {
    let mut refuse = |value: &str, expected: &str, hint: String| {
        refusals.push(Refusal::new("verdict", value, expected).hint(hint));
    };
    let word = match verdict {
        Verdict::Accept => "accept",
        Verdict::Rollover => "rollover",
        Verdict::Restart => "restart",
        Verdict::Discard { .. } => "discard",
    };
    match finding.kind {
        FindingKind::Frozen if verdict != Verdict::Accept => refuse(
            word,
            "accept",
            "a register that stood still while power flowed: void its readings, or enter one by hand"
                .to_owned(),
        ),
        FindingKind::OutOfRange if !matches!(verdict, Verdict::Discard { .. }) => refuse(
            word,
            "discard",
            format!("no register shows {}", finding.evidence.first.1),
        ),
        FindingKind::ExchangeWithoutRegisters
            if !matches!(verdict, Verdict::Accept | Verdict::Restart) =>
        {
            refuse(
                word,
                "accept or restart",
                "or enter the replacement with its registers".to_owned(),
            );
        }
        _ => {
            if verdict == Verdict::Rollover
                && let (Some((_, before)), Some(modulus)) = (finding.evidence.before, modulus)
            {
                let first = finding.evidence.first.1;
                if first >= before || first + modulus < before {
                    refuse(
                        word,
                        "a fall by less than the modulus",
                        format!("it went from {before} to {first}, the modulus is {modulus}"),
                    );
                }
            }
        }
    }
}
