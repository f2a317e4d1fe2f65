// Names of what questions and rows point at.

import { type Message, nameOf, t, word } from '../i18n'
import { site } from '../state'
import { idIn, type Question } from './question'
import { spanText } from './span'

export function pointName(id: string): string {
  const point = site.points.find((one) => one.id === id)
  if (!point) return id
  const building = nameOf(site.buildings.find((one) => one.id === point.building))
  const name = nameOf(point)
  return name.startsWith(building) ? name : `${building} ${name}`
}

export function keyName(kind: string, key: string): string {
  switch (kind) {
    case 'institution':
      return nameOf(site.institutions.find(({ id }) => id === key)) || key
    case 'building':
      return nameOf(site.buildings.find(({ id }) => id === key)) || key
    case 'point':
      return key === 'rest' ? t('residual') : pointName(key)
    case 'commodity':
      return word('c_', key)
    case 'rest':
      return t('residual')
    default:
      return key
  }
}

export function scopeName(scope: string): string {
  for (const kind of ['institution', 'building', 'point']) {
    const id = idIn(scope, kind)
    if (id !== null) return keyName(kind, id)
  }
  return t('allInstitutions')
}

const SUBS: Record<string, Message> = { A: 'subA', B: 'subB', C: 'subC', D: 'subD', rest: 'subRest' }

/** What is asked, without where: `electricity · HVAC`, `carbon`. */
export function figureName(question: Question): string {
  const commodity = question.commodity ? word('c_', question.commodity) : ''
  const sub = SUBS[question.sub]
  if (question.of === 'power') return t('ofPower')
  if (question.of === 'energy') return sub ? `${commodity} · ${t(sub)}` : commodity
  const figure = t(question.of === 'co2' ? 'ofCo2' : 'ofKgce')
  return commodity ? `${figure} · ${commodity}` : figure
}

export function questionName(question: Question): string {
  const when = question.of === 'power' ? '' : spanText(site.zone, question.span, question.start)
  return [scopeName(question.scope), figureName(question), when].filter(Boolean).join(' · ')
}
