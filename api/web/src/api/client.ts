// The one door to the server. Every answer is data, "show your token", or a failure that the page
// survives: it keeps what it has and asks again.

import { EventCutter, type ServerEvent } from '../lib/sse'

export type FailureKind = 'unauthorized' | 'server' | 'network'

/** One thing that the server does not take: where it stands, what it is, what would be right. */
export interface Refusal {
  place: string
  value?: string | null
  expected?: string | null
  hint?: string | null
}

/** RFC 9457, with what the server adds to it. */
export interface Problem {
  title?: string
  detail?: string
  parameter?: string | null
  allowed?: string[] | null
  hint?: string | null
  refusals?: Refusal[] | null
}

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly status: number | null,
    message: string,
    readonly problem: Problem | null = null,
  ) {
    super(message)
  }
}

const USER_KEY = 'steward.user'

/** Who writes, where the site asks for no token. With a token its name counts, not this. */
export const user = {
  read(): string {
    return localStorage.getItem(USER_KEY) ?? ''
  },
  write(name: string): void {
    localStorage.setItem(USER_KEY, name.trim())
  },
}

const TOKEN_KEY = 'steward.token'
const ANSWER_TIMEOUT_MS = 30_000

/** The bearer token lives as long as the browser's tab, and nowhere else. */
export const token = {
  read(): string | null {
    return sessionStorage.getItem(TOKEN_KEY)
  },
  write(value: string): void {
    sessionStorage.setItem(TOKEN_KEY, value.trim())
  },
  forget(): void {
    sessionStorage.removeItem(TOKEN_KEY)
  },
}

function headers(accept: string): Headers {
  const all = new Headers({ Accept: accept })
  const value = token.read()
  if (value) all.set('Authorization', `Bearer ${value}`)
  // Names are Chinese more often than not, and a header holds ASCII.
  else if (user.read()) all.set('X-Steward-User', encodeURIComponent(user.read()))
  return all
}

async function failureOf(response: Response): Promise<Failure> {
  const kind: FailureKind =
    response.status === 401 || response.status === 403 ? 'unauthorized' : 'server'
  let words = response.statusText
  let problem: Problem | null = null
  try {
    problem = (await response.json()) as Problem
    words = [problem.title, problem.detail, problem.hint].filter(Boolean).join(' · ') || words
  } catch {
    // An answer without a problem document: its status says enough.
  }
  return new Failure(kind, response.status, words, problem)
}

interface Body {
  type: string
  text: string
}

async function ask(
  path: string,
  accept: string,
  signal: AbortSignal,
  body?: Body,
): Promise<Response> {
  let response: Response
  const all = headers(accept)
  if (body) all.set('Content-Type', body.type)
  const method = body ? 'POST' : 'GET'
  try {
    response = await fetch(path, { method, headers: all, body: body?.text, signal, cache: 'no-store' })
  } catch (error) {
    throw new Failure('network', null, error instanceof Error ? error.message : String(error))
  }
  if (!response.ok) throw await failureOf(response)
  return response
}

export type Query = Record<string, string | number | null | undefined>

export function address(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined)
  const text = pairs.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')
  return `/api/v1/${path}${text ? `?${text}` : ''}`
}

async function answer<T>(path: string, body?: Body): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), ANSWER_TIMEOUT_MS)
  try {
    const response = await ask(path, 'application/json', controller.signal, body)
    return (await response.json()) as T
  } catch (error) {
    throw failed(error)
  } finally {
    clearTimeout(timer)
  }
}

/** Whatever went wrong, as a failure. */
export function failed(error: unknown): Failure {
  if (error instanceof Failure) return error
  return new Failure('network', null, error instanceof Error ? error.message : String(error))
}

export function get<T>(path: string, query: Query = {}): Promise<T> {
  return answer(address(path, query))
}

/** Sends what the contract asks for and gives what the server made of it. */
export function post<Sent, T>(path: string, value: Sent): Promise<T> {
  return answer(address(path), { type: 'application/json', text: JSON.stringify(value) })
}

/** A file of rows, as people keep them. */
export function postCsv<T>(path: string, query: Query, text: string): Promise<T> {
  return answer(address(path, query), { type: 'text/csv; charset=utf-8', text })
}

/** Reads server-sent events until the stream ends, fails or is aborted. */
export async function stream(
  path: string,
  signal: AbortSignal,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const response = await ask(address(path), 'text/event-stream', signal)
  const reader = response.body?.getReader()
  if (!reader) throw new Failure('network', null, 'the stream has no body')
  const decoder = new TextDecoder()
  const cutter = new EventCutter()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      for (const event of cutter.push(decoder.decode(value, { stream: true }))) onEvent(event)
    }
  } catch (error) {
    throw new Failure('network', null, error instanceof Error ? error.message : String(error))
  }
}
