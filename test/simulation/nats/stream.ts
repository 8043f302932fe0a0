import { ApiError } from './errors.js'
import { isPattern, matches } from './subjects.js'
import { fieldOf } from './wire.js'

export interface StoredMessage {
  seq: number
  subject: string
  header: Buffer | undefined
  data: Buffer
  /** When it was stored, by the server's clock, ms. */
  time: number
}

/** A consumer, as its stream and the server see it. */
export interface StreamConsumer {
  readonly name: string
  readonly isDurable: boolean
  readonly isPush: boolean
  /** JSON of JetStream's API. */
  info(): object
  messageStored(message: StoredMessage): void
  messagesRemoved(gone: ReadonlySet<number>): void
  /** @param subscribed subject of a new subscription */
  interestIn(subscribed: string): void
  pull(payload: Buffer, inbox: string): void
  acknowledge(sseq: number, dseq: number, kind: string): void
  end(): void
}

/** The fields that the simulation acts on; others are kept as they are. Times are nanoseconds, -1 is no limit. */
export interface StreamConfig {
  name: string
  subjects: string[]
  retention: string
  max_consumers: number
  max_msgs: number
  max_bytes: number
  max_age: number
  max_msgs_per_subject: number
  max_msg_size: number
  discard: 'old' | 'new'
  storage: string
  num_replicas: number
  duplicate_window: number
  allow_direct: boolean
  allow_rollup_hdrs: boolean
  [other: string]: unknown
}

/** Why a message leaves a stream. */
export type Removal = 'purge' | 'limit' | 'age' | 'delete' | 'set back'

export interface StreamEvents {
  stored(stream: Stream, message: StoredMessage): void
  removed(stream: Stream, messages: readonly StoredMessage[], why: Removal): void
}

const DEFAULTS = {
  retention: 'limits',
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  max_age: 0,
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  discard: 'old',
  storage: 'file',
  num_replicas: 1,
  sealed: false,
  deny_delete: false,
  deny_purge: false,
  allow_rollup_hdrs: false,
  allow_direct: false,
  mirror_direct: false,
} as const

/** Two minutes, or the life of the messages if that is shorter. */
const WINDOW_NS = 120_000_000_000

/** A configuration as nats-server completes it. */
export function completeConfig(given: Partial<StreamConfig> & { name: string }): StreamConfig {
  const limit = (value: number | undefined) => (value === undefined || value <= 0 ? -1 : value)
  const maxAge = given.max_age ?? 0
  const window = given.duplicate_window || (maxAge > 0 ? Math.min(maxAge, WINDOW_NS) : WINDOW_NS)
  const config: Record<string, unknown> = {
    ...DEFAULTS,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)),
    subjects: given.subjects?.length ? given.subjects : [given.name],
    max_msgs: limit(given.max_msgs),
    max_bytes: limit(given.max_bytes),
    max_msgs_per_subject: limit(given.max_msgs_per_subject),
    max_msg_size: limit(given.max_msg_size),
    max_consumers: limit(given.max_consumers),
    num_replicas: given.num_replicas || 1,
    duplicate_window: window,
  }
  return config as unknown as StreamConfig
}

/** A stream of one server, with the limits, the window of message ids and the purges of nats-server. */
export class Stream {
  /** 0 until the first message or purge. */
  firstSeq = 0
  lastSeq = 0
  firstTime = 0
  lastTime = 0
  bytes = 0
  readonly consumers = new Map<string, StreamConsumer>()
  /** In the order of their sequences. */
  readonly messages: StoredMessage[] = []
  /** Sequences by subject, in order. */
  private readonly bySubject = new Map<string, number[]>()
  private readonly ids = new Map<string, { seq: number; time: number }>()

  /** @param created by the server's clock, ms */
  constructor(
    public config: StreamConfig,
    readonly created: number,
    private readonly events: StreamEvents,
    /** Whether a server of 2.10 or newer keeps the bounds. */
    private readonly isNewer: boolean,
  ) {}

  get name(): string {
    return this.config.name
  }

  accepts(subject: string): boolean {
    return this.config.subjects.some((pattern) => matches(pattern, subject))
  }

  /** Stores a published message. @throws ApiError when the stream refuses it */
  publish(message: Omit<StoredMessage, 'seq'>): { seq: number; duplicate: boolean } {
    const { config } = this
    const { subject, header, data, time } = message
    this.expire(time)
    const expectedStream = fieldOf(header, 'Nats-Expected-Stream')
    if (expectedStream !== undefined && expectedStream !== this.name)
      throw new ApiError(400, 10_060, 'expected stream does not match')
    const id = fieldOf(header, 'Nats-Msg-Id')
    if (id !== undefined) {
      const known = this.ids.get(id)
      if (known) return { seq: known.seq, duplicate: true }
    }
    this.checkExpected(header, subject)
    const size = sizeOf(message)
    if (config.max_msg_size >= 0 && data.length + (header?.length ?? 0) > config.max_msg_size)
      throw new ApiError(400, 10_054, 'message size exceeds maximum allowed')
    if (config.discard === 'new') this.checkRoom(this.isNewer ? size : data.length + (header?.length ?? 0), subject)
    const stored = { ...message, seq: this.lastSeq + 1 }
    this.append(stored, size)
    if (id !== undefined) this.ids.set(id, { seq: stored.seq, time })
    this.applyRollup(stored)
    this.enforceLimits(stored)
    this.events.stored(this, stored)
    for (const consumer of this.consumers.values()) consumer.messageStored(stored)
    return { seq: stored.seq, duplicate: false }
  }

  /** Removes what is older than the limit, and message ids outside their window. @param now server's clock, ms */
  expire(now: number): void {
    const { max_age: maxAge, duplicate_window: window } = this.config
    for (const [id, { time }] of this.ids) {
      if (time + window / 1e6 > now) break
      this.ids.delete(id)
    }
    if (maxAge <= 0) return
    const old = this.messages.filter(({ time }) => time + maxAge / 1e6 <= now)
    if (old.length > 0) this.remove(old, 'age')
  }

  /** The first message at or after `seq` whose subject matches. */
  next(seq: number, filters: readonly string[]): StoredMessage | undefined {
    const { messages } = this
    if (filters.length === 1 && !isPattern(filters[0]!)) {
      const found = this.bySubject.get(filters[0]!)?.find((one) => one >= seq)
      return found === undefined ? undefined : this.at(found)
    }
    for (let i = this.indexFrom(seq); i < messages.length; i++)
      if (matchesAny(filters, messages[i]!.subject)) return messages[i]
    return undefined
  }

  at(seq: number): StoredMessage | undefined {
    const found = this.messages[this.indexFrom(seq)]
    return found?.seq === seq ? found : undefined
  }

  lastOf(pattern: string): StoredMessage | undefined {
    if (!isPattern(pattern)) {
      const last = this.bySubject.get(pattern)?.at(-1)
      return last === undefined ? undefined : this.at(last)
    }
    return this.messages.findLast(({ subject }) => matches(pattern, subject))
  }

  countFrom(seq: number, filters: readonly string[]): number {
    const { messages } = this
    let count = 0
    for (let i = this.indexFrom(seq); i < messages.length; i++) if (matchesAny(filters, messages[i]!.subject)) count++
    return count
  }

  /** Sequences of the last message of each subject that matches, in order. */
  lastPerSubject(filters: readonly string[]): number[] {
    return [...this.bySubject]
      .filter(([subject, seqs]) => seqs.length > 0 && matchesAny(filters, subject))
      .map(([, seqs]) => seqs.at(-1)!)
      .sort((a, b) => a - b)
  }

  /** Messages by subject. */
  subjects(pattern: string): Record<string, number> {
    return Object.fromEntries(
      [...this.bySubject]
        .filter(([subject, seqs]) => seqs.length > 0 && matches(pattern, subject))
        .map(([subject, seqs]) => [subject, seqs.length]),
    )
  }

  get subjectCount(): number {
    return this.bySubject.size
  }

  /** @returns how many messages were removed */
  purge({ filter = '', seq = 0, keep = 0 }: { filter?: string; seq?: number; keep?: number }): number {
    let chosen = filter === '' ? [...this.messages] : this.messages.filter(({ subject }) => matches(filter, subject))
    if (seq > 0) chosen = chosen.filter((message) => message.seq < seq)
    if (keep > 0) chosen = chosen.slice(0, Math.max(0, chosen.length - keep))
    this.remove(chosen, 'purge')
    if (filter === '' && keep === 0) {
      // A purge below a sequence beyond the end moves the end there.
      if (seq > this.lastSeq) this.lastSeq = seq - 1
      this.firstSeq = this.messages[0]?.seq ?? this.lastSeq + 1
    }
    return chosen.length
  }

  delete(seq: number): boolean {
    const found = this.at(seq)
    if (found) this.remove([found], 'delete')
    return found !== undefined
  }

  /**
   * Loses the last messages, as after a power failure: their sequences are used again. @returns how many were lost
   */
  setBack(count: number): number {
    const lost = count > 0 ? this.messages.slice(-count) : []
    if (lost.length === 0) return 0
    this.remove(lost, 'set back')
    this.lastSeq = lost[0]!.seq - 1
    this.lastTime = this.messages.at(-1)?.time ?? 0
    for (const [id, { seq }] of this.ids) if (seq > this.lastSeq) this.ids.delete(id)
    this.firstSeq = this.messages[0]?.seq ?? this.lastSeq + 1
    return lost.length
  }

  /** What a restarted server still knows: message ids only of messages that are still there. */
  forgetVolatile(): void {
    for (const [id, { seq }] of this.ids) if (!this.at(seq)) this.ids.delete(id)
    for (const [name, consumer] of this.consumers) if (!consumer.isDurable) this.consumers.delete(name)
  }

  /** Forgets the message ids: their window has passed, or a server of a cluster died before it acknowledged. */
  forgetIds(): void {
    this.ids.clear()
  }

  /** New limits apply at once. */
  update(config: StreamConfig): void {
    this.config = config
    this.enforceLimits(undefined)
  }

  private checkExpected(header: Buffer | undefined, subject: string): void {
    const lastSubject = fieldOf(header, 'Nats-Expected-Last-Subject-Sequence')
    if (lastSubject !== undefined) {
      const last = this.bySubject.get(subject)?.at(-1) ?? 0
      if (last !== Number(lastSubject)) throw new ApiError(400, 10_071, `wrong last sequence: ${last}`)
    }
    const last = fieldOf(header, 'Nats-Expected-Last-Sequence')
    if (last !== undefined && Number(last) !== this.lastSeq)
      throw new ApiError(400, 10_071, `wrong last sequence: ${this.lastSeq}`)
  }

  /**
   * nats-server 2.9 compares the bound with the bytes of header and payload alone. A message that fits without the rest
   * of its record is stored, and then the oldest one is deleted, in spite of `discard: new`.
   */
  private checkRoom(length: number, subject: string): void {
    const { max_msgs: maxMsgs, max_bytes: maxBytes, max_msgs_per_subject: perSubject } = this.config
    // A new value of a full subject replaces the oldest.
    const replaces = perSubject > 0 && (this.bySubject.get(subject)?.length ?? 0) >= perSubject
    if (maxMsgs > 0 && this.messages.length >= maxMsgs && !replaces)
      throw new ApiError(503, 10_077, 'maximum messages exceeded')
    const isOver = this.isNewer ? this.bytes + length > maxBytes : this.bytes + length >= maxBytes
    if (maxBytes > 0 && isOver) throw new ApiError(503, 10_077, 'maximum bytes exceeded')
  }

  private append(message: StoredMessage, size: number): void {
    if (this.messages.length === 0) {
      this.firstSeq = message.seq
      this.firstTime = message.time
    }
    this.messages.push(message)
    this.lastSeq = message.seq
    this.lastTime = message.time
    this.bytes += size
    const seqs = this.bySubject.get(message.subject)
    if (seqs) seqs.push(message.seq)
    else this.bySubject.set(message.subject, [message.seq])
  }

  private applyRollup({ header, subject, seq }: StoredMessage): void {
    const rollup = fieldOf(header, 'Nats-Rollup')
    if (rollup === undefined) return
    this.remove(
      this.messages.filter((one) => one.seq < seq && (rollup === 'all' || one.subject === subject)),
      'limit',
    )
  }

  private enforceLimits(stored: StoredMessage | undefined): void {
    const { max_msgs: maxMsgs, max_bytes: maxBytes, max_msgs_per_subject: perSubject } = this.config
    if (perSubject > 0) {
      const subjects = stored ? [stored.subject] : [...this.bySubject.keys()]
      for (const subject of subjects) {
        const seqs = this.bySubject.get(subject) ?? []
        if (seqs.length > perSubject) {
          const surplus = seqs.slice(0, seqs.length - perSubject).map((seq) => this.at(seq)!)
          this.remove(surplus, 'limit')
        }
      }
    }
    // A newer server lets what is above a lowered bound stay, if it discards new messages.
    if (this.isNewer && this.config.discard === 'new') return
    let over = 0
    let { bytes } = this
    while (over < this.messages.length) {
      if (!(maxMsgs > 0 && this.messages.length - over > maxMsgs) && !(maxBytes > 0 && bytes > maxBytes)) break
      bytes -= sizeOf(this.messages[over]!)
      over++
    }
    if (over > 0) this.remove(this.messages.slice(0, over), 'limit')
  }

  private remove(chosen: readonly StoredMessage[], why: Removal): void {
    if (chosen.length === 0) return
    const gone = new Set(chosen.map(({ seq }) => seq))
    const kept = this.messages.filter(({ seq }) => !gone.has(seq))
    this.messages.length = 0
    for (const message of kept) this.messages.push(message)
    for (const message of chosen) {
      this.bytes -= sizeOf(message)
      const seqs = this.bySubject.get(message.subject)!
      seqs.splice(seqs.indexOf(message.seq), 1)
      if (seqs.length === 0) this.bySubject.delete(message.subject)
    }
    this.firstSeq = this.messages[0]?.seq ?? this.lastSeq + 1
    this.firstTime = this.messages[0]?.time ?? 0
    for (const consumer of this.consumers.values()) consumer.messagesRemoved(gone)
    this.events.removed(this, chosen, why)
  }

  /** Index of the first message at or after `seq`. */
  private indexFrom(seq: number): number {
    const { messages } = this
    let low = 0
    let high = messages.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (messages[middle]!.seq < seq) low = middle + 1
      else high = middle
    }
    return low
  }
}

export const matchesAny = (filters: readonly string[], subject: string): boolean =>
  filters.length === 0 || filters.some((filter) => matches(filter, subject))

/** What a message counts towards `max_bytes`, as nats-server's files do. */
const sizeOf = ({ subject, header, data }: Omit<StoredMessage, 'seq'>): number =>
  header ? 22 + subject.length + 4 + header.length + data.length + 8 : 22 + subject.length + data.length + 8
