import type { Hit, LiveRead } from '../../engine/mod.js'

/**
 * The messages on `/ws/hits`: JSON text, one message per frame. The console page imports these types and nothing else
 * from the gateway.
 *
 *     console                         gateway
 *        │  (upgrade, session cookie)    │
 *        │ ◄──────────────────── hello   │  which stream, and what it holds
 *        │  subscribe {since, epoch} ──► │
 *        │ ◄───────── gap / restarted    │  only if hits cannot be replayed
 *        │ ◄─── hit, hit, hit ...        │  by sequence: all after `since`, then live, none lost, none repeated
 *        │ ◄─── read, status ...         │  reads may be dropped (counted in status), hits never
 */

/** One filter per connection; a new one replaces it. An absent list means "all". */
export interface SubscribeMessage {
  type: 'subscribe'
  /** The last sequence the console has seen; hits after it are replayed. Absent: live only. */
  since?: number
  /** Epoch of `since`. If the stream has been recreated since then, everything it holds is replayed. */
  epoch?: string
  lists?: string[]
  cameras?: string[]
  priority?: Hit['priority'][]
  /** `[west, south, east, north]` in degrees; west > east crosses the 180th meridian. */
  area?: [number, number, number, number]
  /** Also send live reads. */
  reads?: boolean
  /** Purpose of the access: category and case number; for the access gate. */
  purpose?: string
}

export type GatewayMessage =
  | HelloMessage
  | HitMessage
  | ReadMessage
  | StatusMessage
  | GapMessage
  | RestartedMessage
  | ErrorMessage

/** Sent when the stream is known, and again when it has been recreated. */
export interface HelloMessage {
  type: 'hello'
  /** Names this life of stream HITS: the time it was created. Sequences of two lives are unrelated. */
  epoch: string
  /** First and last sequence that the stream holds; `first > last` means it is empty. */
  first: number
  last: number
}

/** `seq` is the sequence in stream HITS. Every revision of a hit is a message of its own. */
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

/** Sent once a second. A number that nobody reports is undefined, never zero. */
export interface StatusMessage {
  type: 'status'
  /** Wall clock of the gateway, RFC 3339. */
  at: string
  /** Everything up to this sequence has been sent or filtered out: the `since` to reconnect with. */
  seq: number
  /** Whether hits flow; if not, why and since when (RFC 3339). */
  hits: { live: boolean; reason?: string; since?: string }
  /** Time from capture to this gateway, of the latest hits; without hits, of the engines' frames. Milliseconds. */
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
  missingLists: MissingList[]
  /** Live cameras that give no good pictures. Missing in the status of an older gateway. */
  cameraFaults?: LiveCameraFault[]
}

/** What is wrong with a camera whose pictures are pulled. */
export interface LiveCameraFault {
  id: string
  name: string
  /** In words, without a full stop. */
  reason: string
  /** RFC 3339. */
  since: string
}

/** The part of a status message that is the same for every console. */
export type StatusSummary = Omit<StatusMessage, 'seq' | 'readsDropped'>

export interface EngineState {
  instance: string
  /** Whether its last status is younger than 5 s. */
  fresh: boolean
  /** Milliseconds since its last status. */
  ageMs: number
  /** What it is waiting for: name -> reason. */
  waiting: Record<string, string>
}

/** A list whose last load is older than 12 h (HOT-1). */
export interface StaleList {
  id: string
  name: string
  loadedAt: string
}

/** A list that an engine does not match reads against as it is stored. */
export interface MissingList {
  engine: string
  list: string
  name: string
  /** Of its stored content; empty when the list was removed and is still in force. */
  version: string
  /** RFC 3339, clock of the gateway. */
  since: string
  /** What the engine says. */
  reason?: string
}

/** WebSocket close codes (4000-4999 is the private range). */
export const CLOSE = {
  /** The session ended: sign in again. */
  authRequired: 4401,
  /** ALPR_ERR_CONSOLE_STALLED: no progress for 30 s; reconnect with `since`. */
  stalled: 4408,
  /** Too many or malformed messages from the console. */
  invalid: 4400,
  /** The gateway is stopping: reconnect. */
  goingAway: 1001,
} as const
