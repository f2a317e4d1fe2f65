import { expect, it } from 'vitest'

import { waitMs } from '../src/lib/backoff'
import { EventCutter, type ServerEvent } from '../src/lib/sse'

const TEXT = ': hello\r\n\r\nevent: power\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:x\n\nid: 3\n\nevent: health\rdata: y\r\r'
const EVENTS = [
  { event: 'power', data: '{"a":\n1}' },
  { event: 'message', data: 'x' },
  { event: 'health', data: 'y' },
]

it('cuts events wherever the chunks end', () => {
  for (let size = 1; size <= TEXT.length; size += 1) {
    const cutter = new EventCutter()
    const events: ServerEvent[] = []
    for (let from = 0; from < TEXT.length; from += size) {
      events.push(...cutter.push(TEXT.slice(from, from + size)))
    }
    // The last "\r" may be half of a line's end until something follows.
    events.push(...cutter.push('\n'))
    expect(events, `chunks of ${size}`).toEqual(EVENTS)
  }
})

it('waits longer after every failure, and never for long', () => {
  expect([1, 2, 3, 4, 10].map(waitMs)).toEqual([1000, 2000, 4000, 8000, 30_000])
})
