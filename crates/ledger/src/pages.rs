//! The readings of a lineage, page by page, from service to service.

use crate::chain::{Chain, Lineage, Link};
use crate::register::Raw;
use crate::shelf::Shelf;

/// Readings of one page. Around 100,000 of 24 bytes each bound the memory of a run, whatever the
/// interval of the meter.
const PAGE_READINGS_AIM: usize = 50_000;
/// A page covers at least an hour and at most 32 days.
const PAGE_MS_MIN: i64 = 3_600_000;
/// See [`PAGE_MS_MIN`].
const PAGE_MS_MAX: i64 = 32 * 86_400_000;
/// The first page of a run, before the density of the series is known.
const PAGE_MS_FIRST: i64 = 4 * 86_400_000;

/// Reads a lineage in pages of about [`PAGE_READINGS_AIM`].
pub(crate) struct Pages<'a> {
    chain: &'a Chain,
    lineage: &'a Lineage,
    service: usize,
    from_ms: i64,
    to_ms: i64,
    length_ms: i64,
}

impl<'a> Pages<'a> {
    /// Readings from `from_ms` to `to_ms`, both included.
    pub(crate) fn new(chain: &'a Chain, lineage: &'a Lineage, from_ms: i64, to_ms: i64) -> Self {
        let from_ms = from_ms.max(lineage.from_ms);
        Self {
            chain,
            lineage,
            service: lineage.service_at(from_ms),
            from_ms,
            to_ms: to_ms.min(lineage.to_ms),
            length_ms: PAGE_MS_FIRST,
        }
    }

    pub(crate) fn next<S: Shelf>(&mut self, shelf: &S) -> Result<Option<Vec<Raw>>, S::Error> {
        while let Some(service) = self.lineage.services.get(self.service) {
            self.from_ms = self.from_ms.max(service.from_ms);
            let last_ms = self.lineage.last_ms(self.service).min(self.to_ms);
            while self.from_ms <= last_ms {
                let end_ms = self.from_ms.saturating_add(self.length_ms).min(last_ms);
                let page =
                    shelf.readings(&service.meter, self.chain.quantity, self.from_ms, end_ms)?;
                if page.len() > PAGE_READINGS_AIM {
                    self.length_ms = (self.length_ms / 2).max(PAGE_MS_MIN);
                } else if page.len() < PAGE_READINGS_AIM / 4 {
                    self.length_ms = (self.length_ms * 2).min(PAGE_MS_MAX);
                }
                if !page.is_empty() {
                    self.from_ms = end_ms.saturating_add(1);
                    return Ok(Some(page));
                }
                // Outages are skipped, not walked through.
                match shelf.reading_after(&service.meter, self.chain.quantity, end_ms)? {
                    // A meter that goes on speaking after its service must not hide its successor.
                    Some(at_ms) if at_ms <= last_ms => self.from_ms = at_ms,
                    _ => break,
                }
            }
            self.service += 1;
        }
        Ok(None)
    }
}

/// The last instant before `at_ms` at which the lineage has a register: a reading, or the opening
/// of a replacement.
pub(crate) fn register_before<S: Shelf>(
    shelf: &S,
    chain: &Chain,
    lineage: &Lineage,
    at_ms: i64,
) -> Result<Option<i64>, S::Error> {
    let services = lineage.services.iter().enumerate().rev();
    for (index, service) in services.filter(|(_, service)| service.from_ms < at_ms) {
        let end_ms = at_ms.min(lineage.last_ms(index).saturating_add(1));
        let found = shelf.reading_before(&service.meter, chain.quantity, end_ms)?;
        if let Some(found) = found.filter(|found| *found >= service.from_ms) {
            return Ok(Some(found));
        }
        if matches!(service.link, Link::Replaced { .. }) {
            return Ok(Some(service.from_ms));
        }
    }
    Ok(None)
}
