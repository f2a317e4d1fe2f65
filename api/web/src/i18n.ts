// Two languages. Chinese is the source; English must hold the same keys (the compiler checks) and the
// same placeholders (a test checks). The texts stand in `messages/`, a file a page.

import { ref } from 'vue'

import * as books from './messages/books'
import * as closes from './messages/closes'
import * as cockpit from './messages/cockpit'
import * as explain from './messages/explain'
import * as frame from './messages/frame'
import * as invoices from './messages/invoices'
import * as ledger from './messages/ledger'
import * as reviews from './messages/reviews'

export const zh = {
  ...frame.zh,
  ...cockpit.zh,
  ...ledger.zh,
  ...explain.zh,
  ...reviews.zh,
  ...closes.zh,
  ...invoices.zh,
  ...books.zh,
}

export type Message = keyof typeof zh

export const en: Record<Message, string> = {
  ...frame.en,
  ...cockpit.en,
  ...ledger.en,
  ...explain.en,
  ...reviews.en,
  ...closes.en,
  ...invoices.en,
  ...books.en,
}

export type Language = 'zh' | 'en'

const LANGUAGE_KEY = 'steward.language'

/** `?lang=` first, then what was chosen before, then Chinese. */
export function chooseLanguage(search: string, stored: string | null): Language {
  const asked = new URLSearchParams(search).get('lang') ?? stored
  return asked === 'en' ? 'en' : 'zh'
}

export const language = ref<Language>('zh')

export function setLanguage(next: Language): void {
  language.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
}

export function startLanguage(): void {
  setLanguage(chooseLanguage(location.search, localStorage.getItem(LANGUAGE_KEY)))
}

export function toggleLanguage(): void {
  setLanguage(language.value === 'zh' ? 'en' : 'zh')
  localStorage.setItem(LANGUAGE_KEY, language.value)
}

/** Fills `{name}`s of a text. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole))
}

/** The word of a coded thing: `word('kind_', 'rollover')`. A code without a word stands as it is. */
export function word(prefix: string, code: string): string {
  const key = `${prefix}${code}`
  return key in zh ? t(key as Message) : code
}

export function t(key: Message, values: Record<string, string | number> = {}): string {
  return fill((language.value === 'zh' ? zh : en)[key], values)
}

/** What the server says in two languages. */
export function said(words: { text_zh: string; text_en: string }): string {
  return language.value === 'zh' ? words.text_zh : words.text_en
}

/** A name that the server gives in two languages. */
export function named(thing: { name_zh: string; name_en: string }): string {
  return language.value === 'zh' ? thing.name_zh : thing.name_en
}

/** The name of a thing that has two. */
export function nameOf(thing: { name_zh: string; name_en: string; id: string } | undefined): string {
  if (!thing) return ''
  const [first, second] =
    language.value === 'zh' ? [thing.name_zh, thing.name_en] : [thing.name_en, thing.name_zh]
  return first || second || thing.id
}
