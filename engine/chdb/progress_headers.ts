import type { ServerResponse } from 'node:http'
import { summaryText, type ResultSummary } from './result_summary.js'

/**
 * Bytes of the progress headers of one response: Node.js clients refuse more than 16 KiB of headers. Beyond half of it
 * the intervals double.
 */
const MAX_BYTES = 8_192

/**
 * Sends a header `X-ClickHouse-Progress` at an interval while a query runs. Node.js sends headers all at once, so these
 * are written to the socket, status line first; the connection closes after the response. A query that ends
 * within the interval has an ordinary response.
 */
export class ProgressHeaders {
  #sent = 0
  #timer: NodeJS.Timeout | undefined
  #ended = false

  /** @param progress of the query; undefined while the engine does not list it */
  constructor(
    private readonly response: ServerResponse,
    private intervalMs: number,
    private readonly progress: () => Promise<ResultSummary | undefined>,
  ) {
    this.#schedule()
  }

  /** No more headers. */
  stop(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  /** Ends a response that began with progress, with the headers that are set on it. @returns whether it did */
  end(body: Buffer): boolean {
    this.stop()
    const { socket } = this.response
    if (this.#sent === 0) return false
    if (!socket || socket.destroyed) return true
    const headers = Object.entries({ ...this.response.getHeaders(), connection: 'close' })
    const lines = headers
      .filter(([name]) => name !== 'keep-alive')
      .map(([name, value]) => `${name}: ${String(value)}\r\n`)
    socket.write(`${lines.join('')}\r\n`)
    socket.end(body)
    return true
  }

  #schedule(): void {
    this.#timer = setTimeout(() => void this.#send(), this.intervalMs)
  }

  async #send(): Promise<void> {
    const progress = await this.progress().catch(() => undefined)
    const { socket } = this.response
    if (this.#ended || !socket || socket.destroyed) return
    if (progress) {
      if (this.#sent === 0) socket.write('HTTP/1.1 200 OK\r\n')
      const line = `X-ClickHouse-Progress: ${summaryText(progress)}\r\n`
      socket.write(line)
      this.#sent += line.length
      if (this.#sent > MAX_BYTES / 2) this.intervalMs *= 2
    }
    if (this.#sent < MAX_BYTES) this.#schedule()
  }
}
