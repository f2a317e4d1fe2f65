//! `steward books`, `review`, `close`, `invoice`: what a person enters and decides, at the command
//! line. The same rules hold as at the api; a running program notices what was entered.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::DateTime;
use steward_books::{
    Access, Books, BooksError, Decision, Entry, Event, HandReading, OtherRegister, Replacement,
    Undone, Verdict, Voided, books_dir,
};
use steward_config::Config;
use steward_model::{MeterId, PointId, Quantity, UtcMs, parse_review_id};
use steward_store::{FindingFilter, FindingStates, StoreReader};

use crate::board::now;
use crate::cli::SiteArgs;
use crate::cli::books::{BooksAction, BooksArgs, ReviewAction, ReviewArgs, Signature, VerdictWord};
use crate::commands::{load, print};
use crate::roles::store_dir;

/// A site whose books are open.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) books: Books,
    pub(super) store: StoreReader,
}

impl Desk {
    pub(super) fn open(site: &SiteArgs, access: Access) -> anyhow::Result<Self> {
        let config = load(&site.config)?;
        let books = Books::open(&books_dir(&config.settings.data_dir), access)?;
        let store = StoreReader::open(&store_dir(&config));
        Ok(Self {
            config,
            books,
            store,
        })
    }

    async fn enter(&self, signature: &Signature, event: Event) -> anyhow::Result<ExitCode> {
        let Signature { by, reason } = signature;
        let (config, books, store) = (&self.config, &self.books, &self.store);
        told(steward_books::enter(config, books, store, by, reason, event, now()).await)
    }

    /// The counter of a meter's point.
    fn counter(&self, meter: &MeterId) -> anyhow::Result<Quantity> {
        let registry = &self.config.registry;
        let known = registry.meters.get(meter);
        let meter = known.with_context(|| format!("no meter is called `{meter}`"))?;
        let point = registry.points.get(&meter.point);
        Ok(point.context("a meter has a point")?.counter)
    }
}

/// Says what became of an event; refusals are for a person and no failure of the program.
pub(super) fn told(entered: Result<Entry, BooksError>) -> anyhow::Result<ExitCode> {
    match entered {
        Ok(entry) => {
            println!(
                "已登记 entered: event {} {} by {}",
                entry.seq,
                entry.event.kind(),
                entry.by
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(BooksError::Refused(refusals)) => {
            eprintln!("未登记 nothing was entered:");
            for refusal in refusals {
                eprintln!("  {refusal}");
            }
            Ok(ExitCode::from(65))
        }
        Err(error) => Err(error.into()),
    }
}

/// kWh, m³, L or GJ as typed, in the unit of the quantity.
fn in_quantity_unit(quantity: Quantity, typed: f64) -> f64 {
    match quantity.unit() {
        "kJ" | "g" => typed * 1e6,
        _ => typed * 1e3,
    }
}

pub(super) fn instant(text: &str) -> anyhow::Result<UtcMs> {
    let time = DateTime::parse_from_rfc3339(text)
        .with_context(|| format!("`{text}` is no time such as 2026-10-03T08:00:00+08:00"))?;
    Ok(UtcMs(time.timestamp_millis()))
}

/// `energy_export=1204.5,0`
fn other_register(text: &str) -> anyhow::Result<OtherRegister> {
    let parts = || {
        let (quantity, registers) = text.split_once('=')?;
        let (last, first) = registers.split_once(',')?;
        let quantity: Quantity = quantity.trim().parse().ok()?;
        Some(OtherRegister {
            quantity,
            old_last: in_quantity_unit(quantity, last.trim().parse().ok()?),
            new_first: in_quantity_unit(quantity, first.trim().parse().ok()?),
        })
    };
    parts().with_context(|| format!("`{text}` is no register such as energy_export=1204.5,0"))
}

/// `steward books`
pub(crate) async fn books(args: BooksArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        BooksAction::List { site, after } => {
            let desk = Desk::open(&site, Access::Read)?;
            for entry in desk.books.entries(after, usize::MAX)? {
                print(&line(&entry)?)?;
            }
            Ok(ExitCode::SUCCESS)
        }
        BooksAction::Replace {
            site,
            signature,
            point,
            at,
            old_meter,
            old_last,
            new_meter,
            new_first,
            other,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let point = PointId::new(point)?;
            let known = desk.config.registry.points.get(&point);
            let counter = known
                .with_context(|| format!("no point is called `{point}`"))?
                .counter;
            let event = Event::MeterReplaced(Replacement {
                point,
                at: instant(&at)?,
                old_meter: MeterId::new(old_meter)?,
                old_last: in_quantity_unit(counter, old_last),
                new_meter: MeterId::new(new_meter)?,
                new_first: in_quantity_unit(counter, new_first),
                others: other
                    .iter()
                    .map(|text| other_register(text))
                    .collect::<Result<_, _>>()?,
            });
            desk.enter(&signature, event).await
        }
        BooksAction::Reading {
            site,
            signature,
            meter,
            at,
            value,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let meter = MeterId::new(meter)?;
            let quantity = desk.counter(&meter)?;
            let event = Event::HandReading(HandReading {
                meter,
                quantity,
                at: instant(&at)?,
                value: in_quantity_unit(quantity, value),
            });
            desk.enter(&signature, event).await
        }
        BooksAction::Void {
            site,
            signature,
            meter,
            from,
            to,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let meter = MeterId::new(meter)?;
            let event = Event::ReadingsVoided(Voided {
                quantity: desk.counter(&meter)?,
                meter,
                from: instant(&from)?,
                to: instant(&to)?,
            });
            desk.enter(&signature, event).await
        }
        BooksAction::Undo {
            site,
            signature,
            seq,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            desk.enter(&signature, Event::Undone(Undone { seq })).await
        }
        BooksAction::Verify(site) => verify(&Desk::open(&site, Access::Read)?.books),
    }
}

fn line(entry: &Entry) -> anyhow::Result<String> {
    let mut body = serde_json::to_value(&entry.event)?;
    // The frozen figures of a month fill pages; `steward close list` names their hash.
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !matches!(name.as_str(), "kind" | "content" | "checklist"));
    }
    let undone = entry
        .undone_by
        .map_or_else(String::new, |seq| format!(" [taken back by {seq}]"));
    Ok(format!(
        "{:>5} {} {:<16} {:<10} {} — {}{undone}\n",
        entry.seq,
        entry.entered_at.to_datetime().to_rfc3339(),
        entry.event.kind(),
        entry.by,
        body,
        entry.reason,
    ))
}

fn verify(books: &Books) -> anyhow::Result<ExitCode> {
    let (entries, head) = books.head()?;
    match books.verify()? {
        None => {
            println!("台账完整 the books are whole: {entries} events, head {head}");
            Ok(ExitCode::SUCCESS)
        }
        Some(broken) => {
            println!("FAULT event {}: {}", broken.seq, broken.what);
            Ok(ExitCode::FAILURE)
        }
    }
}

/// `steward review`
pub(crate) async fn review(args: ReviewArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        ReviewAction::List { site, all } => {
            let desk = Desk::open(&site, Access::Read)?;
            let filter = FindingFilter {
                states: if all {
                    FindingStates::All
                } else {
                    FindingStates::Open
                },
                ..FindingFilter::default()
            };
            let findings = desk.store.findings(filter).await?;
            for finding in &findings {
                let evidence = &finding.evidence;
                let before = evidence
                    .before
                    .map_or_else(|| "–".to_owned(), |(at, value)| reading(at, value));
                print(&format!(
                    "{}\n    {} at {}: {before} → {} … {} ({} readings held out) {:?}\n",
                    finding.id(),
                    finding.kind.id(),
                    finding.point,
                    reading(evidence.first.0, evidence.first.1),
                    reading(evidence.last.0, evidence.last.1),
                    finding.held_out,
                    finding.state,
                ))?;
            }
            print(&format!("{} findings\n", findings.len()))?;
            Ok(ExitCode::SUCCESS)
        }
        ReviewAction::Decide {
            site,
            signature,
            id,
            verdict,
            until,
        } => {
            let desk = Desk::open(&site, Access::Write)?;
            let (meter, quantity, at) = parse_review_id(&id)
                .with_context(|| format!("`{id}` is no id of `steward review list`"))?;
            let verdict = match verdict {
                VerdictWord::Accept => Verdict::Accept,
                VerdictWord::Rollover => Verdict::Rollover,
                VerdictWord::Restart => Verdict::Restart,
                VerdictWord::Discard => Verdict::Discard {
                    until: match until {
                        Some(until) => instant(&until)?,
                        None => last_in_question(&desk, &meter, quantity, at).await?,
                    },
                },
            };
            let event = Event::ReviewDecided(Decision {
                meter,
                quantity,
                at,
                verdict,
            });
            desk.enter(&signature, event).await
        }
    }
}

async fn last_in_question(
    desk: &Desk,
    meter: &MeterId,
    quantity: Quantity,
    at: UtcMs,
) -> anyhow::Result<UtcMs> {
    let found = desk.store.finding(meter, quantity, at).await?;
    Ok(found.context("nothing is in question there")?.until)
}

fn reading(at: UtcMs, value: f64) -> String {
    format!("{value} ({})", at.to_datetime().to_rfc3339())
}
