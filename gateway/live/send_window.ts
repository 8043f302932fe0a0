import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** Limits of what the socket holds and the network has not taken: messages, and bytes. */
const WINDOW_MESSAGES = 64
const WINDOW_BYTES = 1_048_576

/**
 * Flow control of one console: limits what is in flight, measures progress and notices a stall. What exceeds the window
 * waits where it costs nothing, in the ring or the stream.
 *
 * Frames are the same bytes for every console. They go to the wire unchanged and all in one write, because `ws` would
 * build and write each frame again.
 */
export class SendWindow {
  /** Frames of the next write. */
  #queued: Buffer[] = []
  #queuedBytes = 0
  /** Messages queued or written that the network has not taken. */
  #inFlight = 0
  /** Monotonic clock, ms: setting the wall clock must not close a console. */
  #progressAt = performance.now()
  #pingOpen = false
  #wakeWaiter: (() => void) | undefined
  #closed = false

  /** @param onRoom called whenever the network has taken something */
  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Duplex,
    private readonly onRoom: () => void,
  ) {
    socket.on('pong', () => {
      this.#pingOpen = false
      this.noteProgress()
    })
  }

  get hasRoom(): boolean {
    return this.#inFlight < WINDOW_MESSAGES && this.socket.bufferedAmount + this.#queuedBytes < WINDOW_BYTES
  }

  /** Resolves when the network has taken something, or at `close`. One waiter at a time. */
  waitForRoom(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeWaiter = resolve
    })
  }

  /** Adds a frame to the next write. */
  queue(frame: Buffer): void {
    if (this.#closed) return
    // The clock of a stall starts when the peer begins to owe something.
    if (!this.#owed) this.noteProgress()
    this.#inFlight++
    this.#queued.push(frame)
    this.#queuedBytes += frame.length
  }

  /** Writes everything queued in one write. */
  flush(): void {
    const frames = this.#queued
    if (frames.length === 0) return
    this.#queued = []
    this.#queuedBytes = 0
    if (this.#closed || this.socket.readyState !== this.socket.OPEN) return // a close event follows
    const taken = () => {
      this.#inFlight -= frames.length
      this.noteProgress()
      this.#wakeWaiter?.()
      this.#wakeWaiter = undefined
      this.onRoom()
    }
    this.wire.cork()
    for (let i = 0; i < frames.length - 1; i++) this.wire.write(frames[i]!)
    this.wire.write(frames.at(-1)!, taken)
    this.wire.uncork()
  }

  /** Asks the peer for a sign of life, unless an earlier ping is still open. */
  ping(): void {
    if (this.#closed || this.#pingOpen) return
    if (this.#inFlight === 0) this.noteProgress()
    this.#pingOpen = true
    this.socket.ping()
  }

  /** The peer has sent or taken something. */
  noteProgress(): void {
    this.#progressAt = performance.now()
  }

  /** Whether the peer owes something (messages in flight, a pong) and nothing has moved for `ms`. */
  isStalled(ms: number): boolean {
    return this.#owed && performance.now() - this.#progressAt >= ms
  }

  /** Drops what is queued and wakes the waiter. */
  close(): void {
    this.#closed = true
    this.#queued = []
    this.#queuedBytes = 0
    this.#wakeWaiter?.()
  }

  get #owed(): boolean {
    return this.#inFlight > 0 || this.#pingOpen
  }
}
