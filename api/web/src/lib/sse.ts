// Server-sent events over fetch. EventSource cannot send a bearer token, so the stream is read here.

export interface ServerEvent {
  event: string
  data: string
}

/** Cuts a byte stream into events. Chunks may end anywhere, in the middle of a line too. */
export class EventCutter {
  private rest = ''
  private event = ''
  private data: string[] = []

  push(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = []
    const text = this.rest + chunk
    // A "\r" at the end may be the first half of "\r\n": it waits for the next chunk.
    const held = text.endsWith('\r') ? 1 : 0
    const lines = text.slice(0, text.length - held).split(/\r\n|\n|\r/)
    this.rest = (lines.pop() ?? '') + text.slice(text.length - held)
    for (const line of lines) {
      if (line !== '') {
        this.field(line)
      } else {
        if (this.data.length > 0) {
          events.push({ event: this.event || 'message', data: this.data.join('\n') })
        }
        this.event = ''
        this.data = []
      }
    }
    return events
  }

  private field(line: string): void {
    const colon = line.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? line : line.slice(0, colon)
    const raw = colon < 0 ? '' : line.slice(colon + 1)
    const value = raw.startsWith(' ') ? raw.slice(1) : raw
    if (name === 'event') this.event = value
    if (name === 'data') this.data.push(value)
  }
}
