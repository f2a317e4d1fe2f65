// Answers of the books: events, reviews, tariffs, closes, invoices. Made from openapi.json.

import type { components } from './types'

type Schemas = components['schemas']

export type BooksEvent = Schemas['Event']
export type Entry = Schemas['EventEntry']
export type Events = Schemas['Events']
export type Review = Schemas['Review']
export type Reviews = Schemas['Reviews']
export type TariffVersion = Schemas['TariffVersion']
export type Account = Schemas['Account']
export type Tariffs = Schemas['Tariffs']
export type Bill = Schemas['AccountBill']
export type InvoiceRow = Schemas['InvoiceEntry']
export type Invoices = Schemas['Invoices']
export type InvoicesEntered = Schemas['InvoicesEntered']
export type CheckItem = Schemas['ChecklistItem']
export type Checklist = Schemas['Checklist']
export type Close = Schemas['CloseView']
export type Closes = Schemas['Closes']
export type Adjustment = Schemas['AdjustmentEntry']
export type Adjustments = Schemas['Adjustments']

// What is written.

export type NewEvent = Schemas['NewEvent']
export type NewDecision = Schemas['NewDecision']
export type NewUndo = Schemas['NewUndo']
export type NewClose = Schemas['NewClose']
export type NewApproval = Schemas['NewApproval']
export type NewRejection = Schemas['NewRejection']
export type NewInvoices = Schemas['NewInvoices']

/** What a revision changes of a point, new − old: a part of the frozen content. */
export interface Difference {
  point: string
  commodity: string
  amount_base: number
  kgce_ug: string | null
  co2_ug: string | null
  cost_ncny: string | null
}

/** Content and checklist are frozen documents, which the contract does not take apart. */
export interface CloseDetail {
  close: Close
  checklist: Checklist | null
  content: { differences?: Difference[] } | null
}
