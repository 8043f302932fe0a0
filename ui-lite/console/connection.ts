import { Observable } from '../shared/observable.js'
import type { GatewayMessage, HelloMessage, SubscribeMessage } from '../shared/protocol.js'
import { checkSession } from '../shared/session_client.js'
import { loadPosition, savePosition, type StreamPosition } from './stream_position.js'

export interface ConnectionState {
  state: 'connecting' | 'live' | 'lost' | 'signed-out'
  /** Wall clock of the last change, milliseconds. */
  since: number
  /** Wall clock of the next attempt, milliseconds; only while lost. */
  retryAt?: number
  reason?: string
}

/** The gateway sends its status every second; after this much silence the connection counts as broken, ms. */
const SILENCE_MS = 8_000
const MIN_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 15_000
/** Hits a fresh page asks for, counted back from the newest. */
const BACKLOG_HITS = 200

/** Beside the page, which a proxy may serve under a prefix; the scheme http or https becomes ws or wss. */
const socketAddress = (): string => new URL('ws/hits', document.baseURI).href.replace(/^http/, 'ws')

/**
 * The WebSocket to the gateway. It reconnects by itself with exponential backoff and resumes where it stopped, so that
 * no hit is missed. A fresh page also asks for the newest earlier hits, to have something to show.
 */
export class Connection {
  readonly state = new Observable<ConnectionState>({ state: 'connecting', since: Date.now() })
  #socket: WebSocket | undefined
  #position: StreamPosition | undefined
  #saved = loadPosition()
  #attempt = 0
  #lastMessageAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly onMessage: (message: GatewayMessage) => void) {
    setInterval(() => this.#checkSilence(), 1_000)
    addEventListener('online', () => this.retry())
    addEventListener('pagehide', () => this.#socket?.close(1000))
  }

  /** Reconnects now instead of after the backoff. */
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
    // A browser does not tell a page why an upgrade was refused, so the page checks the session first.
    const session = await checkSession()
    if (session === 'signed-out') return this.#change('signed-out')
    if (session === 'unreachable') return this.#reconnectLater('the gateway does not answer')
    if (this.#socket) return
    const socket = new WebSocket(socketAddress())
    this.#socket = socket
    this.#lastMessageAt = Date.now()
    socket.onmessage = ({ data }) => {
      this.#lastMessageAt = Date.now()
      this.#attempt = 0
      if (this.state.value.state !== 'live') this.#change('live')
      this.#take(JSON.parse(String(data)) as GatewayMessage)
    }
    socket.onclose = ({ reason }) => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      this.#reconnectLater(reason || 'the connection was lost')
    }
  }

  #take(message: GatewayMessage): void {
    switch (message.type) {
      case 'hello':
        this.#hello(message)
        break
      case 'restarted':
        this.#setPosition(message.epoch, message.since)
        break
      case 'hit':
        this.#setPosition(this.#position!.epoch, message.seq)
        break
      case 'gap':
        this.#setPosition(this.#position!.epoch, message.to)
        break
      case 'status':
        if (this.#position && message.seq > this.#position.since) this.#setPosition(this.#position.epoch, message.seq)
        break
    }
    this.onMessage(message)
  }

  #hello({ epoch, first, last }: HelloMessage): void {
    const resumed = this.#position ?? this.#saved
    const backlog = Math.max(first - 1, last - BACKLOG_HITS, 0)
    let since = resumed?.since ?? backlog
    // A reloaded page wants what it missed and something to show; one that only lost its connection, what it missed.
    if (!this.#position && resumed?.epoch === epoch) since = Math.min(backlog, resumed.since)
    const message: SubscribeMessage = { type: 'subscribe', reads: true, since, epoch: resumed?.epoch ?? epoch }
    this.#position = { epoch: resumed?.epoch ?? epoch, since }
    this.#socket?.send(JSON.stringify(message))
  }

  #setPosition(epoch: string, since: number): void {
    this.#position = { epoch, since }
    savePosition(this.#position)
  }

  #checkSilence(): void {
    const socket = this.#socket
    if (!socket || Date.now() - this.#lastMessageAt < SILENCE_MS) return
    this.#socket = undefined
    socket.close()
    this.#reconnectLater('the gateway is silent')
  }

  #reconnectLater(reason: string): void {
    const jitter = 0.8 + Math.random() * 0.4
    const backoff = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** this.#attempt++) * jitter
    this.#change('lost', reason, Date.now() + backoff)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#open(), backoff)
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
