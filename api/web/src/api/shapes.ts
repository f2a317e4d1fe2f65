// The answers by the names that the page uses. The shapes themselves are made from openapi.json.

import type { components } from './types'

type Schemas = components['schemas']

export type Site = Schemas['Site']
export type Institution = Schemas['Institution']
export type Institutions = Schemas['Institutions']
export type Building = Schemas['Building']
export type Buildings = Schemas['Buildings']
export type Point = Schemas['Point']
export type Points = Schemas['Points']
export type Meter = Schemas['Meter']
export type Meters = Schemas['Meters']
export type LedgerRow = Schemas['LedgerRow']
export type Ledger = Schemas['Ledger']
export type Carbon = Schemas['Carbon']
export type Budget = Schemas['BudgetStatus']
export type Budgets = Schemas['Budgets']
export type PowerEvent = Schemas['Power']
export type Health = Schemas['Health']
export type Balance = Schemas['Balance']
export type Readings = Schemas['Readings']
export type Quantity = Schemas['Quantity']
export type ReadingRow = Schemas['ReadingRow']
