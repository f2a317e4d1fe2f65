//! The books of the demo: a replacement, invoices, a closed month, and the backlog that comes after
//! it was closed. Each is entered once, through the same doors as at any other site.

use anyhow::Context as _;
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use steward_books::{Access, Books, Event, Invoice, Replacement, books_dir};
use steward_config::{Account, Config};
use steward_model::time::{day_start_s, next_period_date, period_date};
use steward_model::{InstitutionId, Span, UtcMs};
use steward_report::bill::bill;
use steward_report::{Month, close};
use steward_simulator::World;
use steward_store::StoreReader;

use super::feed;
use crate::board::now;
use crate::roles::{source, store_dir};

/// The person who enters and proposes, and the one who approves.
const MAKER: &str = "张敏";
const CHECKER: &str = "李强";
/// Institutions whose month is closed: the one with the outage, and the pilot of budgets.
const CLOSING: [&str; 2] = ["tsg", "jgswzx"];

/// The books of the demo and what they are checked against.
pub(super) struct Storyteller<'a> {
    config: &'a Config,
    world: &'a World,
    books: Books,
    store: StoreReader,
}

impl<'a> Storyteller<'a> {
    pub(super) fn open(config: &'a Config, world: &'a World) -> anyhow::Result<Self> {
        Ok(Self {
            config,
            world,
            books: Books::open(&books_dir(&config.settings.data_dir), Access::Write)?,
            store: StoreReader::open(&store_dir(config)),
        })
    }

    async fn enter(&self, reason: &str, event: Event) -> anyhow::Result<()> {
        let (config, books, store) = (self.config, &self.books, &self.store);
        steward_books::enter(config, books, store, MAKER, reason, event, now())
            .await
            .with_context(|| format!("the demo's books refuse: {reason}"))?;
        Ok(())
    }

    /// The replacement: the last register of the old device, the first of the new one.
    pub(super) async fn replace(&self) -> anyhow::Result<()> {
        let Some(exchange) = &self.world.story().replaced else {
            return Ok(());
        };
        let meters = self.world.meters();
        let number = meters
            .iter()
            .position(|meter| meter.id == exchange.meter)
            .context("the story's meter exists")?;
        let meter = meters.get(number).context("the story's meter exists")?;
        let profile = self
            .config
            .profiles
            .get(meter.profile)
            .context("profiles were checked")?;
        let last_base = self.world.register(number, exchange.at_ms);
        let event = Event::MeterReplaced(Replacement {
            point: meter.point.clone(),
            at: UtcMs(exchange.at_ms),
            old_meter: meter.id.clone(),
            old_last: feed::shown(meter, profile, meter.commodity.counter(), last_base),
            new_meter: meter.id.clone(),
            new_first: feed::shown(
                meter,
                profile,
                meter.commodity.counter(),
                exchange.first_base,
            ),
            others: Vec::new(),
        });
        self.enter(
            "到期轮换 replaced at the end of its verification period",
            event,
        )
        .await
    }

    /// Invoices of the month to be closed and of the one after it, then the close.
    pub(super) async fn close(&self) -> anyhow::Result<()> {
        let Some(month) = self.world.story().closed_month else {
            return Ok(());
        };
        for first in [month, next_period_date(Span::Month, month)] {
            for account in self.config.tariffs.accounts.values() {
                if let Some(invoice) = self.invoice(account, first).await? {
                    self.enter("月度账单 monthly invoice", Event::InvoiceEntered(invoice))
                        .await?;
                }
            }
        }
        let source = source(self.config)?;
        let of: Month = format!("{}-{:02}", month.year(), month.month()).parse()?;
        for name in CLOSING {
            let institution = InstitutionId::new(name)?;
            let (config, books) = (self.config, &self.books);
            let reason = "月度关账 monthly close";
            let justification =
                Some("演示 demo: 停电两日按负荷曲线补算 two days filled by load shape");
            let proposed = close::propose(
                config,
                &source,
                books,
                &institution,
                of,
                MAKER,
                reason,
                justification,
                now(),
            )
            .await
            .with_context(|| format!("{name} {of}"))?;
            close::approve(config, &source, books, proposed.seq, CHECKER, reason, now())
                .await
                .with_context(|| format!("{name} {of}"))?;
        }
        Ok(())
    }

    /// An invoice near what the ledger says: suppliers read on other days and round.
    async fn invoice(
        &self,
        account: &Account,
        first: NaiveDate,
    ) -> anyhow::Result<Option<Invoice>> {
        let point = account.points.first();
        let registry = &self.config.registry;
        let zone = point
            .and_then(|id| registry.points.get(id))
            .and_then(|point| registry.zone_of(point))
            .context("an account has points")?;
        let from_s = day_start_s(zone, first);
        let to = next_period_date(Span::Month, first);
        let rows = self
            .store
            .ledger(&account.points, Span::Month, from_s, day_start_s(zone, to))
            .await?;
        let amount_base: i64 = rows.iter().map(|row| row.amount_base).sum();
        if amount_base <= 0 {
            return Ok(None);
        }
        let (source, state) = (source(self.config)?, self.books.state()?);
        let bill = bill(self.config, &source, &state, account, (first, to)).await?;
        let Some(cost_cny) = bill.total_cny else {
            return Ok(None);
        };
        // Parts in a thousand by which the supplier differs: the same at every start.
        let differs = account
            .id
            .bytes()
            .chain(first.to_string().bytes())
            .fold(7_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 9)
            - 4;
        let factor = Decimal::ONE + Decimal::new(differs, 3);
        let per_unit = Decimal::from(account.commodity.base_per_unit());
        Ok(Some(Invoice {
            account: account.id.clone(),
            number: format!("{}{}{:02}", account.number, first.year(), first.month()),
            from: period_date(Span::Month, first),
            to,
            amount: (Decimal::from(amount_base) / per_unit * factor).round_dp(1),
            cost_cny: (cost_cny * factor).round_dp(2),
            demand_kw: None,
            power_factor: None,
        }))
    }
}
