import type { GatewayMessage, HelloMessage, SubscribeMessage } from '../../gateway/live/protocol.js'
import { loadPlace, savePlace, type Place } from './place.js'
import { checkSession } from './session.js'
import { Store } from './store.js'

export interface ConnectionState {
  state: 'connecting' | 'live' | 'lost' | 'signed-out'
  /** Wall clock of the last change, milliseconds. */
  since: number
  /** Wall clock of the next attempt, while lost. */
  retryAt?: number
  reason?: string
}

/**
 * The gateway sends its state each second; silence for this long is a broken connection that nobody has noticed, ms.
 */
const SILENCE_MS = 8_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 15_000
/** Hits before the newest that a fresh page asks for. */
export const WINDOW = 200

/**
 * The WebSocket to the gateway: comes back by itself with growing pauses and says where it stopped, so that no hit is
 * missed. A fresh page also asks for the newest hits of before, to have something to show.
 */
export class Connection {
  readonly state = new Store<ConnectionState>({ state: 'connecting', since: Date.now() })
  #socket: WebSocket | undefined
  #place: Place | undefined
  #saved = loadPlace()
  #attempt = 0
  #heard = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly onMessage: (message: GatewayMessage) => void) {
    setInterval(() => this.#watch(), 1_000)
    addEventListener('online', () => this.retry())
    addEventListener('pagehide', () => this.#socket?.close(1000))
  }

  /** Now, not after the pause. */
  retry(): void {
    if (this.#socket) return
    clearTimeout(this.#timer)
    void this.#open()
  }

  start(): void {
    this.#change('connecting')
    void this.#open()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#change('signed-out')
    const socket = this.#socket
    this.#socket = undefined
    socket?.close(1000)
  }

  async #open(): Promise<void> {
    // A browser does not tell a page why an upgrade was refused, so the session is asked for first.
    const session = await checkSession()
    if (session === 'out') return this.#change('signed-out')
    if (session === 'unreachable') return this.#later('the gateway does not answer')
    if (this.#socket) return
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/hits`)
    this.#socket = socket
    this.#heard = Date.now()
    socket.onmessage = ({ data }) => {
      this.#heard = Date.now()
      this.#attempt = 0
      if (this.state.value.state !== 'live') this.#change('live')
      this.#take(JSON.parse(String(data)) as GatewayMessage)
    }
    socket.onclose = ({ reason }) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#later(reason || 'the connection broke')
    }
  }

  #take(message: GatewayMessage): void {
    switch (message.type) {
      case 'hello':
        this.#hello(message)
        break
      case 'restarted':
        this.#at(message.epoch, message.since)
        break
      case 'hit':
        this.#at(this.#place!.epoch, message.seq)
        break
      case 'gap':
        this.#at(this.#place!.epoch, message.to)
        break
      case 'status':
        if (this.#place && message.seq > this.#place.since) this.#at(this.#place.epoch, message.seq)
        break
    }
    this.onMessage(message)
  }

  #hello({ epoch, first, last }: HelloMessage): void {
    const window = Math.max(first - 1, last - WINDOW, 0)
    const fresh = this.#place === undefined
    const known = this.#place ?? this.#saved
    // A reloaded page wants what it missed and something to show; a page that only lost its connection wants what it
    // missed.
    const since = !known
      ? window
      : known.epoch !== epoch
        ? known.since
        : fresh
          ? Math.min(window, known.since)
          : known.since
    const message: SubscribeMessage = { type: 'subscribe', reads: true, since, epoch: known?.epoch ?? epoch }
    this.#place = { epoch: known?.epoch ?? epoch, since }
    this.#socket?.send(JSON.stringify(message))
  }

  #at(epoch: string, since: number): void {
    this.#place = { epoch, since }
    savePlace(this.#place)
  }

  #watch(): void {
    const socket = this.#socket
    if (!socket || Date.now() - this.#heard < SILENCE_MS) return
    this.#socket = undefined
    socket.close()
    this.#later('the gateway is silent')
  }

  #later(reason: string): void {
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempt++) * (0.8 + Math.random() * 0.4)
    this.#change('lost', reason, Date.now() + pause)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#open(), pause)
  }

  #change(state: ConnectionState['state'], reason?: string, retryAt?: number): void {
    const before = this.state.value
    this.state.set({
      state,
      since: before.state === state ? before.since : Date.now(),
      ...(reason && { reason }),
      ...(retryAt && { retryAt }),
    })
  }
}
