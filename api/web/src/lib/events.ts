// An event of the books in one line.

import type { BooksEvent } from '../api/ledger-shapes'
import { t, word } from '../i18n'
import { site } from '../state'
import { onDial } from './register'
import { keyName, pointName } from './named'
import { stamp } from './when'

const time = (text: string): string => stamp(site.zone, Date.parse(text))

export function sayEvent(event: BooksEvent): string {
  switch (event.kind) {
    case 'meter_replaced':
      return t('saidReplaced', {
        point: pointName(event.point),
        old: event.old_meter,
        old_last: onDial(event.old_last, event.unit ?? ''),
        new: event.new_meter,
        new_first: onDial(event.new_first, event.unit ?? ''),
        at: time(event.at),
      })
    case 'hand_reading': {
      const { meter, value, unit } = event
      return t('saidHandReading', { meter, value: onDial(value, unit), at: time(event.at) })
    }
    case 'readings_voided':
      return t('saidVoided', { meter: event.meter, from: time(event.from), to: time(event.to) })
    case 'review_decided':
      return t('saidReview', {
        meter: event.meter,
        at: time(event.at),
        verdict: word('v_', event.verdict),
      })
    case 'invoice_entered': {
      const { account, number, from, to, amount, cost_cny } = event.invoice
      return t('saidInvoice', { account, number, from, to, amount, cost: cost_cny })
    }
    case 'close_proposed':
      return t('saidClose', {
        institution: keyName('institution', event.institution),
        month: event.month,
        revision: event.revision,
      })
    case 'close_approved':
    case 'close_rejected':
      return t('saidVerdict', { seq: event.proposal })
    case 'undone':
      return t('saidVerdict', { seq: event.seq })
  }
}
