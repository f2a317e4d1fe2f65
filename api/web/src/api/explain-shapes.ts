// The answer of `explain`: where a figure comes from. Made from openapi.json.

import type { components } from './types'

type Schemas = components['schemas']

export type Explanation = Schemas['Explanation']
export type ReadingSeen = Schemas['ReadingView']
export type Boundary = Schemas['BoundaryView']
export type Service = Schemas['ServiceView']
export type Metering = Schemas['MeteringView']
export type FindingSeen = Schemas['FindingView']
export type FillSeen = Schemas['FillView']
export type BandSeen = Schemas['BandView']
export type TariffSeen = Schemas['TariffEntry']
export type CloseNote = Schemas['CloseNote']
