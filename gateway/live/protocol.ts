import type { Hit, LiveRead } from '../../engine/mod.js'

/**
 * What travels on `/ws/hits`: JSON text, one message a frame. The console page imports these types and nothing else of
 * the gateway.
 *
 *     console                         gateway
 *        │  (upgrade, session cookie)    │
 *        │ ◄──────────────────── hello   │  which stream, and what it still holds
 *        │  subscribe {since, epoch} ──► │
 *        │ ◄───────── gap / restarted    │  only if something cannot be replayed
 *        │ ◄─── hit, hit, hit ...        │  by sequence: all after `since`, then live, none missing, none twice
 *        │ ◄─── read, status ...         │  reads may be dropped (counted in status), hits never
 */
/** One filter per connection; a new one replaces it. An absent list means "all". */
export interface SubscribeMessage {
  type: 'subscribe'
  /** The last sequence the console has seen; hits after it are replayed. Absent: live only. */
  since?: number
  /** Epoch that `since` belongs to; if the stream was made anew meanwhile, everything it holds is replayed. */
  epoch?: string
  lists?: string[]
  cameras?: string[]
  priority?: Hit['priority'][]
  /** `[west, south, east, north]` in degrees; west > east crosses the 180th meridian. */
  area?: [number, number, number, number]
  /** Live reads too. */
  reads?: boolean
}

export type GatewayMessage =
  | HelloMessage
  | HitMessage
  | ReadMessage
  | StatusMessage
  | GapMessage
  | RestartedMessage
  | ErrorMessage

/** Sent when the stream is known, and again when it was made anew. */
export interface HelloMessage {
  type: 'hello'
  /**
   * Names this life of stream HITS: the time it was created. Sequences of two epochs have nothing to do with each
   * other.
   */
  epoch: string
  /** First sequence the stream still holds, and the last; `first > last` is an empty stream. */
  first: number
  last: number
}

/** `seq` is the sequence in HITS. Every revision of a hit is sent, each with its own sequence. */
export type HitMessage = { type: 'hit'; seq: number } & Hit

export type ReadMessage = { type: 'read' } & LiveRead

/** Hits from `from` to `to` (both included) are no longer in the stream and cannot be replayed. */
export interface GapMessage {
  type: 'gap'
  from: number
  to: number
}

/** The stream is not the one `since` belongs to: sequences start again after `since`. */
export interface RestartedMessage {
  type: 'restarted'
  epoch: string
  since: number
}

export interface ErrorMessage {
  type: 'error'
  code: string
  message: string
}

/** Once a second. Numbers are undefined where nobody reports them, never a made-up zero. */
export interface StatusMessage {
  type: 'status'
  /** Wall clock of the gateway, RFC 3339. */
  at: string
  /** Everything up to this sequence has been sent (or filtered out): what a console should say as `since`. */
  seq: number
  /** Whether hits flow; if not, why and since when (RFC 3339). */
  hits: { live: boolean; reason?: string; since?: string }
  /** Capture to here, of the newest hits or, without hits, of the frames in the engines; milliseconds. */
  delayMs?: number
  framesPerS?: number
  readsPerS?: number
  /** Frames waiting on the stream for an engine. */
  framesWaiting?: number
  /** Reads dropped for this console because it was slow. */
  readsDropped: number
  consoles: number
  engines: EngineState[]
  lists: number
  staleLists: StaleList[]
}

export interface EngineState {
  instance: string
  /** Its last status is younger than 5 s. */
  fresh: boolean
  /** Milliseconds since its last status. */
  ageMs: number
  /** What it waits for: name -> reason. */
  waiting: Record<string, string>
}

/** A list whose last load is older than 12 h (HOT-1). */
export interface StaleList {
  id: string
  name: string
  loadedAt: string
}

/** Close codes of ours on the WebSocket (4000-4999 is the private range). */
export const CLOSE = {
  /** The session ended: open the console's address again. */
  authRequired: 4401,
  /** ALPR_ERR_CONSOLE_STALLED: no progress for 30 s; reconnect with `since`. */
  stalled: 4408,
  /** Too many or malformed messages from the console. */
  invalid: 4400,
  /** The gateway stops; reconnect. */
  goingAway: 1001,
} as const
