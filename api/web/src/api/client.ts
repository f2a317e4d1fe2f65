// The one door to the server. Every answer is data, "show your token", or a failure that the page
// survives: it keeps what it has and asks again.

import { EventCutter, type ServerEvent } from '../lib/sse'

export type FailureKind = 'unauthorized' | 'server' | 'network'

export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly status: number | null,
    message: string,
  ) {
    super(message)
  }
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
  return all
}

async function failureOf(response: Response): Promise<Failure> {
  const kind: FailureKind =
    response.status === 401 || response.status === 403 ? 'unauthorized' : 'server'
  let words = response.statusText
  try {
    const problem = (await response.json()) as { title?: string; detail?: string; hint?: string }
    words = [problem.title, problem.detail, problem.hint].filter(Boolean).join(' · ') || words
  } catch {
    // An answer without a problem document: its status says enough.
  }
  return new Failure(kind, response.status, words)
}

async function ask(path: string, accept: string, signal: AbortSignal): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { headers: headers(accept), signal, cache: 'no-store' })
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

export async function get<T>(path: string, query: Query = {}): Promise<T> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), ANSWER_TIMEOUT_MS)
  try {
    const response = await ask(address(path, query), 'application/json', controller.signal)
    return (await response.json()) as T
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('network', null, error instanceof Error ? error.message : String(error))
  } finally {
    clearTimeout(timer)
  }
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
