//! A month closes, changes, is adjusted and revised: with real books and a real working store.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod world;

use steward_books::{Access, Books, Event, HandReading, Invoice};
use steward_config::{CloseSettings, Config};
use steward_model::{
    Evidence, Finding, FindingKind, FindingState, InstitutionId, LedgerRow, MeterId, PointId,
    Quantity, Span, UtcMs,
};
use steward_report::close::{
    CloseError, approve, checklist, close_view, close_views, closed_report, propose, reject,
};
use steward_report::{
    BooksView, CauseKind, Month, MonthState, MonthlyReport, adjustments, compose, gather, to_json,
};
use steward_store::{FoundIn, LedgerUpdate, Source, StoreOptions, StoreReader, WorkingStore};
use tempfile::TempDir;

struct Site {
    config: Config,
    books: Books,
    store: WorkingStore,
    source: Source,
    rows: Vec<LedgerRow>,
    _dir: TempDir,
}

const MAKER: &str = "maker";
const CHECKER: &str = "checker";

impl Site {
    fn new() -> Self {
        let mut config = world::config();
        config.settings.close = CloseSettings {
            coverage_min: 0.95,
            estimated_share_max: 0.1,
            invoices_required: false,
            budget_required: true,
            invoice_tolerance: 0.02,
        };
        let dir = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            publish: false,
            outbox_bytes_max: 0,
            clock: || world::NOW,
            ledger_gauges: Vec::new(),
        };
        let store_dir = dir.path().join("store");
        let mut store = WorkingStore::open(&store_dir, options).unwrap();
        let days = world::days(&config);
        let rows: Vec<LedgerRow> = [Span::Day, Span::Month]
            .into_iter()
            .flat_map(|span| world::rows(&config, &days, span))
            .collect();
        store
            .write_ledger(LedgerUpdate {
                days: &days,
                rows: &rows,
                ..LedgerUpdate::default()
            })
            .unwrap();
        Self {
            books: Books::open(&dir.path().join("books"), Access::Write).unwrap(),
            source: Source::Working(StoreReader::open(&store_dir)),
            config,
            store,
            rows,
            _dir: dir,
        }
    }

    fn month_row(&self, point: &str, month: &str) -> LedgerRow {
        let month: Month = month.parse().unwrap();
        let rows = self.rows.iter().filter(|row| row.span == Span::Month);
        let mut rows = rows.filter(|row| row.point.as_str() == point);
        rows.find(|row| row.start_s == month.start_s(chrono_tz::Tz::Asia__Shanghai))
            .unwrap()
            .clone()
    }

    /// The ledger of a point's month becomes what it was plus this.
    fn change(&mut self, point: &str, month: &str, amount_base: i64) {
        let mut row = self.month_row(point, month);
        row.amount_base += amount_base;
        row.shares.estimated_base += amount_base;
        row.cost_ncny = row.cost_ncny.map(|ncny| ncny + amount_base * 700_000);
        row.kgce_ug = row.kgce_ug.map(|ug| ug + amount_base * 122_900);
        self.write(&[row]);
    }

    fn write(&mut self, rows: &[LedgerRow]) {
        self.store
            .write_ledger(LedgerUpdate {
                rows,
                ..LedgerUpdate::default()
            })
            .unwrap();
    }

    fn view(&self) -> BooksView {
        BooksView::read(&self.books).unwrap()
    }

    async fn report(&self, month: &str) -> MonthlyReport {
        let month = month.parse().unwrap();
        let view = self.view();
        let facts = gather(&self.source, &self.config, &view, &hall(), month)
            .await
            .unwrap();
        compose(&self.config, &hall(), month, &facts, world::NOW).unwrap()
    }

    async fn propose(&self, month: &str, justification: Option<&str>) -> Result<u64, CloseError> {
        let entry = propose(
            &self.config,
            &self.source,
            &self.books,
            &hall(),
            month.parse().unwrap(),
            MAKER,
            "month end",
            justification,
            world::NOW,
        )
        .await?;
        Ok(entry.seq)
    }

    async fn approve(&self, proposal: u64, by: &str) -> Result<u64, CloseError> {
        let (config, source, books) = (&self.config, &self.source, &self.books);
        let entry = approve(config, source, books, proposal, by, "checked", world::NOW).await?;
        Ok(entry.seq)
    }

    async fn close(&self, month: &str) -> u64 {
        let proposal = self.propose(month, None).await.unwrap();
        self.approve(proposal, CHECKER).await.unwrap();
        proposal
    }

    /// (corrected month, month on which it stands, live, point, amount, cause)
    async fn lines(&self) -> Vec<(String, String, bool, String, i64, CauseKind)> {
        let view = self.view();
        let lines = adjustments(&self.config, &self.source, &view, &hall())
            .await
            .unwrap();
        lines
            .into_iter()
            .map(|one| {
                let cause = one.cause.kind;
                (
                    one.month,
                    one.booked,
                    one.live,
                    one.point,
                    one.amount_base,
                    cause,
                )
            })
            .collect()
    }

    fn blocked(error: CloseError) -> Vec<String> {
        match error {
            CloseError::NotReady(list) => list.blockers().map(|item| item.id.clone()).collect(),
            other => panic!("{other}"),
        }
    }
}

fn hall() -> InstitutionId {
    InstitutionId::new("hall").unwrap()
}

fn line(
    month: &str,
    booked: &str,
    live: bool,
    amount_base: i64,
    cause: CauseKind,
) -> (String, String, bool, String, i64, CauseKind) {
    let point = "hall-1-el".to_owned();
    (
        month.to_owned(),
        booked.to_owned(),
        live,
        point,
        amount_base,
        cause,
    )
}

#[tokio::test]
async fn a_closed_month_never_changes() {
    let mut site = Site::new();
    let open = site.report("2026-09").await;
    assert_eq!((open.state, open.close.is_none()), (MonthState::Open, true));
    let proposal = site.propose("2026-09", None).await.unwrap();
    assert_eq!(site.report("2026-09").await.state, MonthState::Provisional);
    site.approve(proposal, CHECKER).await.unwrap();
    let closed = site.report("2026-09").await;
    assert_eq!(closed.state, MonthState::Closed);
    let close = closed.close.clone().unwrap();
    assert_eq!((close.proposed_by.as_str(), close.revision), (MAKER, 1));
    assert_eq!(close.approved_by.as_deref(), Some(CHECKER));
    assert_eq!(closed.totals, open.totals);
    assert_eq!(closed.commodities, open.commodities);

    site.change("hall-1-el", "2026-09", 1_000);
    site.change("hall-1-el", "2025-09", 1_000);
    // Neither the ledger nor the registry moves a closed month.
    site.config
        .registry
        .institutions
        .get_mut(&hall())
        .unwrap()
        .extents[0]
        .value
        .floor_area_m2 = 1.0;
    assert_eq!(
        to_json(&site.report("2026-09").await).unwrap(),
        to_json(&closed).unwrap()
    );
}

#[tokio::test]
async fn what_changes_after_the_close_is_an_adjustment_of_the_open_month() {
    let mut site = Site::new();
    site.close("2026-09").await;
    assert_eq!(site.lines().await, []);
    site.change("hall-1-el", "2026-09", 1_000);
    let late = CauseKind::LateReadings;
    assert_eq!(
        site.lines().await,
        [line("2026-09", "2026-10", true, 1_000, late)]
    );
    let october = site.report("2026-10").await;
    assert_eq!(october.adjustments.len(), 1);
    let adjusted = &october.adjustments[0];
    assert_eq!((adjusted.amount, adjusted.cost_cny), (1.0, Some(0.7)));
    // The month before is compared as it was closed.
    let against = &october.commodities[0].amount.against_last_month;
    let closed = site.month_row("hall-1-el", "2026-09").amount_base;
    assert_eq!(against.value, Some(closed as f64 / 1_000.0));

    site.close("2026-10").await;
    assert_eq!(
        site.lines().await,
        [line("2026-09", "2026-10", false, 1_000, late)]
    );
    let frozen = site.report("2026-10").await;
    assert_eq!(
        (frozen.adjustments.len(), frozen.adjustments[0].live),
        (1, false)
    );
    // What is frozen is not shown again; what changes later is another line.
    assert_eq!(site.report("2026-11").await.adjustments, []);
    site.change("hall-1-el", "2026-09", 700);
    assert_eq!(
        site.lines().await,
        [
            line("2026-09", "2026-10", false, 1_000, late),
            line("2026-09", "2026-11", true, -300, late),
        ]
    );
}

#[tokio::test]
async fn budgets_count_adjustments_where_they_stand() {
    let mut site = Site::new();
    let used = |report: &MonthlyReport| {
        let year = &report.budgets[0].year;
        (
            year.used.unwrap(),
            year.months[8].used.unwrap(),
            year.months[9].used.unwrap(),
        )
    };
    let before = used(&site.report("2026-10").await);
    site.close("2026-09").await;
    site.change("hall-1-el", "2026-09", 1_000);
    let after = used(&site.report("2026-10").await);
    let kwh = rust_decimal::Decimal::ONE;
    assert_eq!(after, (before.0 + kwh, before.1, before.2 + kwh));
    site.close("2026-10").await;
    assert_eq!(used(&site.report("2026-10").await), after);
    let view = site.view();
    let (config, source) = (&site.config, &site.source);
    let alone = steward_report::close::budgets(config, source, &view, &hall(), 2026, world::NOW)
        .await
        .unwrap();
    assert_eq!(
        alone[0].months[..10],
        site.report("2026-10").await.budgets[0].year.months[..10]
    );
}

#[tokio::test]
async fn a_revision_supersedes_and_takes_back_what_was_adjusted() {
    let mut site = Site::new();
    let first = site.close("2026-09").await;
    assert!(matches!(
        site.propose("2026-09", None).await,
        Err(CloseError::NothingChanged { .. })
    ));
    site.change("hall-1-el", "2026-09", 1_000);
    site.close("2026-10").await;
    let second = site.close("2026-09").await;
    let view = site.view();
    let detail = close_view(&view.state, second).unwrap();
    assert_eq!(detail.close.revision, 2);
    assert_eq!(detail.content["differences"][0]["amount_base"], 1_000);
    assert_eq!(detail.content["differences"][0]["point"], "hall-1-el");
    let old = closed_report(&view.state, first, world::NOW)
        .unwrap()
        .unwrap();
    assert_eq!(old.state, MonthState::Superseded);
    let closed = site.report("2026-09").await;
    assert_eq!(closed.close.unwrap().revision, 2);
    let late = CauseKind::LateReadings;
    assert_eq!(
        site.lines().await,
        [
            line("2026-09", "2026-10", false, 1_000, late),
            line("2026-09", "2026-11", true, -1_000, CauseKind::Revision),
        ]
    );
    let states: Vec<String> = close_views(&view.state, Some(&hall()))
        .into_iter()
        .map(|one| one.state)
        .collect();
    assert_eq!(states, ["closed", "closed", "superseded"]);
}

#[tokio::test]
async fn maker_and_checker_are_two_and_agree_on_the_same_bytes() {
    let mut site = Site::new();
    let proposal = site.propose("2026-10", None).await.unwrap();
    let own = site.approve(proposal, MAKER).await;
    assert!(matches!(own, Err(CloseError::Books(_))), "{own:?}");
    site.change("hall-1-water", "2026-10", 1);
    let stale = site.approve(proposal, CHECKER).await;
    assert!(
        matches!(stale, Err(CloseError::Changed { .. })),
        "{stale:?}"
    );
    let said = stale.unwrap_err().to_string();
    assert!(said.contains("propose again"), "{said}");
    reject(&site.books, proposal, CHECKER, "changed", world::NOW)
        .await
        .unwrap();
    let decided = site.approve(proposal, CHECKER).await;
    assert!(
        matches!(decided, Err(CloseError::Decided { .. })),
        "{decided:?}"
    );
    assert!(matches!(
        site.approve(999, CHECKER).await,
        Err(CloseError::UnknownProposal(999))
    ));
    let again = site.propose("2026-10", None).await.unwrap();
    site.approve(again, CHECKER).await.unwrap();
    let report = site.report("2026-10").await;
    assert_eq!(report.close.unwrap().proposal, again);
}

#[tokio::test]
async fn an_unfinished_checklist_refuses_with_every_reason() {
    let mut site = Site::new();
    let running = site.propose("2026-11", None).await.unwrap_err();
    assert!(running.to_string().contains("still runs"), "{running}");
    assert_eq!(Site::blocked(running), ["month_over"]);
    let at = UtcMs(world::NOW.0 - 40 * 86_400_000);
    let finding = Finding {
        point: PointId::new("hall-1-el").unwrap(),
        meter: MeterId::new("hall-1-el-m").unwrap(),
        quantity: Quantity::EnergyImport,
        at,
        until: at,
        held_out: 1,
        kind: FindingKind::Fall,
        state: FindingState::Open,
        evidence: Evidence {
            before: None,
            first: (at, 1.0),
            last: (at, 1.0),
            after: None,
            modulus: None,
            resolution: None,
            rise_max: None,
            flowed: None,
        },
    };
    let found = FoundIn {
        point: finding.point.clone(),
        from: at,
        to: UtcMs(at.0 + 1),
        findings: vec![finding],
        fills: Vec::new(),
    };
    site.store
        .write_ledger(LedgerUpdate {
            found: &[found],
            ..LedgerUpdate::default()
        })
        .unwrap();
    site.config.settings.close.coverage_min = 1.1;
    site.config.budgets.all.clear();
    let refused = site.propose("2026-10", None).await.unwrap_err();
    assert_eq!(Site::blocked(refused), ["coverage", "reviews", "budget"]);
    // Nothing was entered.
    assert_eq!(site.view().entries, []);
}

#[tokio::test]
async fn invoices_are_there_and_agree_or_are_justified() {
    let mut site = Site::new();
    site.config.settings.close.invoices_required = true;
    let missing = site.propose("2026-10", None).await.unwrap_err();
    assert_eq!(Site::blocked(missing), ["invoices"]);
    for (account, base) in [
        (
            "hall-el",
            site.month_row("hall-1-el", "2026-10").amount_base,
        ),
        (
            "hall-gas",
            site.month_row("hall-1-gas", "2026-10").amount_base,
        ),
        (
            "hall-water",
            site.month_row("hall-1-water", "2026-10").amount_base * 2,
        ),
    ] {
        let invoice = Invoice {
            account: account.to_owned(),
            number: "1".to_owned(),
            from: world::date(2026, 10, 1),
            to: world::date(2026, 11, 1),
            amount: rust_decimal::Decimal::new(base, 3),
            cost_cny: rust_decimal::Decimal::ONE_HUNDRED,
            demand_kw: None,
            power_factor: None,
        };
        let event = Event::InvoiceEntered(invoice);
        site.books
            .append(MAKER, "came by post", event, world::NOW)
            .unwrap();
    }
    let list = checklist(
        &site.config,
        &site.source,
        &site.view(),
        &hall(),
        "2026-10".parse().unwrap(),
        None,
        world::NOW,
    )
    .await
    .unwrap();
    let item = list
        .items
        .iter()
        .find(|item| item.id == "invoices")
        .unwrap();
    assert!(
        !item.ok && item.text_en.contains("hall-water/1 -50.00 %"),
        "{}",
        item.text_en
    );
    assert!(!item.text_en.contains("hall-el"), "{}", item.text_en);
    let proposal = site
        .propose("2026-10", Some("the meter was shared"))
        .await
        .unwrap();
    let detail = close_view(&site.view().state, proposal).unwrap();
    let items = detail.checklist["items"].as_array().unwrap();
    let frozen = items.iter().find(|item| item["id"] == "invoices").unwrap();
    assert_eq!(frozen["justification"], "the meter was shared");
    site.approve(proposal, CHECKER).await.unwrap();
}

#[tokio::test]
async fn an_event_of_the_books_is_the_cause_that_is_named() {
    let mut site = Site::new();
    site.close("2026-09").await;
    let event = Event::HandReading(HandReading {
        meter: MeterId::new("hall-1-el-m").unwrap(),
        quantity: Quantity::EnergyImport,
        at: UtcMs(
            Month::new(2026, 9)
                .unwrap()
                .start_s(chrono_tz::Tz::Asia__Shanghai)
                * 1_000,
        ),
        value: 5.0,
    });
    let entered = site
        .books
        .append(MAKER, "read on site", event, world::NOW)
        .unwrap();
    site.change("hall-1-el", "2026-09", 5);
    // Until the ledger has taken it in, no other month closes.
    let early = site.propose("2026-10", None).await.unwrap_err();
    assert_eq!(Site::blocked(early), ["settled"]);
    site.store.touch(&[], entered.seq).unwrap();
    let lines = adjustments(&site.config, &site.source, &site.view(), &hall())
        .await
        .unwrap();
    assert_eq!(lines[0].cause.kind, CauseKind::Events);
    assert_eq!(lines[0].cause.events, [entered.seq]);
    // Another price alone is told as that.
    let mut row = site.month_row("hall-1-gas", "2026-09");
    row.cost_ncny = row.cost_ncny.map(|ncny| ncny + 7);
    row.tariff_set = "gas@2026-09-01".to_owned();
    site.write(&[row]);
    let lines = adjustments(&site.config, &site.source, &site.view(), &hall())
        .await
        .unwrap();
    let gas = lines.iter().find(|one| one.point == "hall-1-gas").unwrap();
    assert_eq!((gas.cause.kind, gas.amount_base), (CauseKind::Tariffs, 0));
    // Another ratio too.
    let meter = MeterId::new("hall-1-water-m").unwrap();
    site.config.registry.meters.get_mut(&meter).unwrap().ratio = 2;
    site.change("hall-1-water", "2026-09", 9);
    let lines = adjustments(&site.config, &site.source, &site.view(), &hall())
        .await
        .unwrap();
    let water = lines
        .iter()
        .find(|one| one.point == "hall-1-water")
        .unwrap();
    assert_eq!(water.cause.kind, CauseKind::Registry);
}
