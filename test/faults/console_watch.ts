import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { GatewayMessage, HitMessage } from '../../gateway/mod.js'

/** A hit as the console received it. */
export interface Delivered {
  seq: number
  hit: HitMessage
}

/**
 * A console like the web page: it remembers its position, reconnects with `since` when the connection breaks, and
 * records everything it receives, including duplicates.
 */
export class ConsoleWatch {
  readonly delivered: Delivered[] = []
  /** Gaps that the gateway reported. */
  readonly gaps: { from: number; to: number }[] = []
  /** Number of reconnections. */
  reconnections = -1
  /** Close codes, in order. */
  readonly closes: number[] = []
  #socket: WebSocket | undefined
  #since = 0
  #epoch: string | undefined
  #ended = false

  private constructor(
    private readonly url: () => string,
    private readonly token: string,
  ) {
    void this.#keepConnected()
  }

  /** @param url address of the gateway, evaluated at each connection */
  static open(url: () => string, token: string): ConsoleWatch {
    return new ConsoleWatch(url, token)
  }

  /** Sequence of the newest hit received. */
  get seq(): number {
    return this.#since
  }

  /** Stops reading from the socket, like a page on a sleeping computer. */
  stopReading(): void {
    this.#socket?.pause()
  }

  resumeReading(): void {
    this.#socket?.resume()
  }

  end(): void {
    this.#ended = true
    this.#socket?.terminate()
  }

  async #keepConnected(): Promise<void> {
    while (!this.#ended) {
      await this.#connectOnce()
      await sleep(200)
    }
  }

  #connectOnce(): Promise<void> {
    const socket = new WebSocket(`${this.url().replace(/^http/, 'ws')}/ws/hits`, {
      headers: { authorization: `Bearer ${this.token}` },
      perMessageDeflate: false,
    })
    this.#socket = socket
    socket.on('open', () => {
      this.reconnections++
      socket.send(
        JSON.stringify({ type: 'subscribe', since: this.#since, ...(this.#epoch ? { epoch: this.#epoch } : {}) }),
      )
    })
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as GatewayMessage))
    socket.on('error', () => {})
    return new Promise((resolve) =>
      socket.once('close', (code) => {
        this.closes.push(code)
        resolve()
      }),
    )
  }

  #take(message: GatewayMessage): void {
    if (message.type === 'hello') this.#epoch = message.epoch
    else if (message.type === 'hit') {
      this.delivered.push({ seq: message.seq, hit: message })
      this.#since = Math.max(this.#since, message.seq)
    } else if (message.type === 'gap') this.gaps.push({ from: message.from, to: message.to })
    else if (message.type === 'restarted') {
      this.#epoch = message.epoch
      this.#since = message.since
    }
  }
}
