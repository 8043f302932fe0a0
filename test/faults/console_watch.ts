import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { GatewayMessage, HitMessage } from '../../gateway/live/protocol.js'

/** A hit as it came to the console. */
export interface Delivered {
  seq: number
  hit: HitMessage
}

/**
 * A console as the page is one: it keeps its place, comes back with `since` when the connection breaks, and notes
 * everything that it was given, also what it was given twice.
 */
export class ConsoleWatch {
  readonly delivered: Delivered[] = []
  /** Hits that the gateway said it cannot give. */
  readonly gaps: { from: number; to: number }[] = []
  /** Times it had to come back. */
  returns = -1
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
    void this.#stay()
  }

  /** @param url of the gateway, asked for at each connection */
  static open(url: () => string, token: string): ConsoleWatch {
    return new ConsoleWatch(url, token)
  }

  /** Up to where hits were given. */
  get seq(): number {
    return this.#since
  }

  /** Reads nothing more from its socket, as a page whose computer sleeps. */
  stopReading(): void {
    this.#socket?.pause()
  }

  readAgain(): void {
    this.#socket?.resume()
  }

  end(): void {
    this.#ended = true
    this.#socket?.terminate()
  }

  async #stay(): Promise<void> {
    while (!this.#ended) {
      await this.#once()
      await sleep(200)
    }
  }

  #once(): Promise<void> {
    const socket = new WebSocket(`${this.url().replace(/^http/, 'ws')}/ws/hits`, {
      headers: { authorization: `Bearer ${this.token}` },
      perMessageDeflate: false,
    })
    this.#socket = socket
    socket.on('open', () => {
      this.returns++
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
