import type { VirtualClock } from '../clock.js'
import { ApiError } from './errors.js'
import { matchesAny, type StoredMessage, type Stream, type StreamConsumer } from './stream.js'
import { matches } from './subjects.js'
import { headerBlock } from './wire.js'

/** The fields that the simulation acts on. Times are nanoseconds. */
export interface ConsumerConfig {
  name?: string
  durable_name?: string
  deliver_policy: string
  opt_start_seq?: number
  ack_policy: string
  ack_wait?: number
  max_deliver?: number
  filter_subject?: string
  filter_subjects?: string[]
  max_ack_pending?: number
  deliver_subject?: string
  idle_heartbeat?: number
  inactive_threshold?: number
  headers_only?: boolean
  [other: string]: unknown
}

interface PullRequest {
  inbox: string
  left: number
  bytesLeft: number
  noWait: boolean
  expiry: Timer | undefined
  heartbeat: Timer | undefined
  heartbeatMs: number
}

type Timer = ReturnType<VirtualClock['schedule']>

/** What a consumer needs of its server. */
export interface ConsumerHost {
  readonly clock: VirtualClock
  /** 2.10 or newer, and newer than that. */
  readonly isNewer: boolean
  readonly isNewest: boolean
  /** ms since 1970 */
  wallClock(): number
  hasInterest(subject: string): boolean
  /** @param to subscription that receives it, if not the subject itself */
  send(to: string, message: { subject?: string; reply?: string; header?: Buffer; data?: Uint8Array }): void
}

/** nats-server's defaults. */
const ACK_WAIT_NS = 30_000_000_000
const INACTIVE_NS = 5_000_000_000
const MAX_WAITING = 512

/** A consumer: pull or push, acknowledged or not. Push consumers send no flow-control messages. */
export class Consumer implements StreamConsumer {
  readonly created: number
  /** Next stream sequence to look at. */
  private next = 1
  /** Last messages of subjects that are sent before everything else. */
  private skipList: number[] | undefined
  private deliveredConsumer = 0
  private deliveredStream = 0
  private ackedConsumer = 0
  private ackedStream = 0
  /** By stream sequence: sent and not acknowledged. */
  private readonly unacknowledged = new Map<number, { dseq: number; at: number; count: number }>()
  private redeliver: number[] = []
  private requests: PullRequest[] = []
  private ackTimer: Timer | undefined
  private heartbeat: Timer | undefined
  private inactivity: Timer | undefined
  private deleted = false

  constructor(
    readonly stream: Stream,
    readonly name: string,
    readonly config: ConsumerConfig,
    private readonly host: ConsumerHost,
  ) {
    this.created = host.wallClock()
    this.next = this.startSequence()
    this.deliveredStream = this.ackedStream = Math.max(0, (this.skipList?.[0] ?? this.next) - 1)
    this.watchInactivity()
    this.beat()
  }

  get isDurable(): boolean {
    return this.config.durable_name !== undefined
  }

  get isPush(): boolean {
    return this.config.deliver_subject !== undefined
  }

  private get filters(): readonly string[] {
    const { filter_subject: one, filter_subjects: many } = this.config
    return many?.length ? many : one ? [one] : []
  }

  get pending(): number {
    const { skipList, stream, next, filters, host } = this
    if (skipList?.length && !host.isNewer) return skipList.length
    return (skipList?.length ?? 0) + stream.countFrom(next, filters)
  }

  info(): object {
    return {
      stream_name: this.stream.name,
      name: this.name,
      created: new Date(this.created).toISOString(),
      config: this.config,
      delivered: { consumer_seq: this.deliveredConsumer, stream_seq: this.deliveredStream },
      ack_floor: { consumer_seq: this.ackedConsumer, stream_seq: this.ackedStream },
      num_ack_pending: this.unacknowledged.size,
      num_redelivered: this.redeliver.length,
      num_waiting: this.requests.length,
      num_pending: this.pending,
      ...(this.isPush && { push_bound: this.host.hasInterest(this.config.deliver_subject!) }),
    }
  }

  messageStored({ subject }: StoredMessage): void {
    if (matchesAny(this.filters, subject)) this.deliver()
  }

  messagesRemoved(gone: ReadonlySet<number>): void {
    this.skipList = this.skipList?.filter((seq) => !gone.has(seq))
    for (const seq of gone) this.unacknowledged.delete(seq)
    this.redeliver = this.redeliver.filter((seq) => !gone.has(seq))
  }

  /** A subscription appeared: a push consumer may have somebody to send to. */
  interestIn(subscribed: string): void {
    const { deliver_subject: subject } = this.config
    if (subject !== undefined && matches(subscribed, subject)) this.deliver()
  }

  pull(payload: Buffer, inbox: string): void {
    this.watchInactivity()
    const { batch, expires = 0, noWait, maxBytes, heartbeatMs } = parsePull(payload)
    if (this.requests.length >= MAX_WAITING) return this.status(inbox, '409 Exceeded MaxWaiting')
    const request: PullRequest = {
      inbox,
      left: batch,
      bytesLeft: maxBytes,
      noWait,
      expiry: undefined,
      heartbeat: undefined,
      heartbeatMs,
    }
    if (noWait && expires === 0 && this.peek() === undefined) return this.status(inbox, '404 No Messages')
    this.requests.push(request)
    if (expires > 0) request.expiry = this.host.clock.schedule(expires, () => this.expire(request))
    this.beatPull(request)
    this.deliver()
    if (noWait && expires === 0 && this.requests.includes(request)) this.expire(request)
  }

  acknowledge(sseq: number, dseq: number, kind: string): void {
    if (kind.startsWith('-NAK')) {
      if (this.unacknowledged.has(sseq)) this.redeliver.push(sseq)
      return this.deliver()
    }
    if (kind.startsWith('+WPI')) {
      const waiting = this.unacknowledged.get(sseq)
      if (waiting) waiting.at = this.host.clock.now
      return
    }
    if (this.config.ack_policy === 'all') {
      for (const [seq, sent] of this.unacknowledged) if (sent.dseq <= dseq) this.unacknowledged.delete(seq)
      this.redeliver = this.redeliver.filter((seq) => seq > sseq)
      this.ackedConsumer = Math.max(this.ackedConsumer, dseq)
      this.ackedStream = Math.max(this.ackedStream, sseq)
    } else {
      this.unacknowledged.delete(sseq)
      this.redeliver = this.redeliver.filter((seq) => seq !== sseq)
      if (this.unacknowledged.size === 0) {
        this.ackedConsumer = this.deliveredConsumer
        this.ackedStream = this.deliveredStream
      }
    }
    this.deliver()
  }

  end(): void {
    this.deleted = true
    for (const request of [...this.requests]) {
      this.drop(request)
      if (this.host.isNewer) this.status(request.inbox, '409 Consumer Deleted')
    }
    const { clock } = this.host
    for (const timer of [this.ackTimer, this.heartbeat, this.inactivity]) clock.cancel(timer)
  }

  private startSequence(): number {
    const { stream, config } = this
    switch (config.deliver_policy) {
      case 'new':
        return stream.lastSeq + 1
      case 'last': {
        const last = this.filters.length === 1 ? stream.lastOf(this.filters[0]!) : stream.messages.at(-1)
        return last?.seq ?? stream.lastSeq + 1
      }
      case 'last_per_subject':
        this.skipList = stream.lastPerSubject(this.filters)
        return stream.lastSeq + 1
      case 'by_start_sequence':
        // A sequence beyond the end becomes the end, up to 2.10; later servers wait for it.
        return Math.max(
          stream.firstSeq,
          Math.min(config.opt_start_seq ?? 1, this.host.isNewest ? Infinity : stream.lastSeq + 1),
        )
      default:
        return Math.max(1, stream.firstSeq)
    }
  }

  /** The next message to send. */
  private peek(): StoredMessage | undefined {
    const { stream } = this
    stream.expire(this.host.wallClock())
    while (this.redeliver.length > 0) {
      const found = stream.at(this.redeliver[0]!)
      if (found) return found
      this.redeliver.shift()
    }
    while (this.skipList?.length) {
      const found = stream.at(this.skipList[0]!)
      if (found) return found
      this.skipList.shift()
    }
    return stream.next(this.next, this.filters)
  }

  private deliver(): void {
    if (this.deleted) return
    for (;;) {
      const target = this.target()
      if (target === undefined) return
      const message = this.peek()
      if (!message) return
      const isAgain = this.redeliver[0] === message.seq
      const limit = this.config.max_ack_pending ?? (this.config.ack_policy === 'none' ? -1 : 1_000)
      if (!isAgain && limit > 0 && this.config.ack_policy !== 'none' && this.unacknowledged.size >= limit) return
      const isLatest = this.skipList?.[0] === message.seq
      if (isAgain) this.redeliver.shift()
      else if (isLatest) this.skipList!.shift()
      else this.next = message.seq + 1
      // In 2.9, what was published after the consumer was made does not count while the latest values are sent.
      this.send(target, message, isLatest && !this.host.isNewer ? this.skipList!.length : this.pending)
    }
  }

  /** Where the next message goes: the oldest pull, or the subject of a push consumer. */
  private target(): string | undefined {
    const { deliver_subject: subject } = this.config
    if (subject !== undefined) return this.host.hasInterest(subject) ? subject : undefined
    for (let request = this.requests[0]; request; request = this.requests[0]) {
      if (this.host.hasInterest(request.inbox)) return request.inbox
      this.drop(request)
    }
    return undefined
  }

  private send(target: string, message: StoredMessage, pending: number): void {
    const { clock } = this.host
    const before = this.unacknowledged.get(message.seq)
    const count = (before?.count ?? 0) + 1
    const dseq = ++this.deliveredConsumer
    this.deliveredStream = Math.max(this.deliveredStream, message.seq)
    if (this.config.ack_policy !== 'none') {
      this.unacknowledged.set(message.seq, { dseq, at: clock.now, count })
      this.watchAcks()
    } else {
      this.ackedConsumer = dseq
      this.ackedStream = message.seq
    }
    const nanos = BigInt(Math.floor(message.time * 1_000)) * 1_000n
    const reply = `$JS.ACK.${this.stream.name}.${this.name}.${count}.${message.seq}.${dseq}.${nanos}.${pending}`
    const { subject, header, data } = message
    this.host.send(target, { subject, reply, header, data: this.config.headers_only ? new Uint8Array() : data })
    const [request] = this.requests
    if (this.isPush || !request) return this.beat()
    request.left -= 1
    request.bytesLeft -= data.length
    if (request.left <= 0 || request.bytesLeft <= 0) this.drop(request)
    else this.beatPull(request)
  }

  private drop(request: PullRequest): void {
    const { clock } = this.host
    clock.cancel(request.expiry)
    clock.cancel(request.heartbeat)
    const index = this.requests.indexOf(request)
    if (index >= 0) this.requests.splice(index, 1)
  }

  private expire(request: PullRequest): void {
    this.drop(request)
    this.watchInactivity()
    const bytes = Number.isFinite(request.bytesLeft) ? request.bytesLeft : 0
    this.status(request.inbox, '408 Request Timeout', {
      'Nats-Pending-Messages': request.left,
      'Nats-Pending-Bytes': bytes,
    })
  }

  private status(inbox: string, status: string, fields?: Record<string, string | number>): void {
    this.host.send(inbox, { header: headerBlock(status, fields) })
  }

  private beatPull(request: PullRequest): void {
    const { clock } = this.host
    clock.cancel(request.heartbeat)
    if (request.heartbeatMs <= 0) return
    request.heartbeat = clock.schedule(request.heartbeatMs, () => {
      this.status(request.inbox, '100 Idle Heartbeat', this.positions())
      this.beatPull(request)
    })
  }

  /** Heartbeats of a push consumer. */
  private beat(): void {
    const { idle_heartbeat: every = 0, deliver_subject: subject } = this.config
    const { clock } = this.host
    clock.cancel(this.heartbeat)
    if (subject === undefined || every <= 0) return
    this.heartbeat = clock.schedule(every / 1e6, () => {
      if (this.host.hasInterest(subject)) this.status(subject, '100 Idle Heartbeat', this.positions())
      this.beat()
    })
  }

  private positions(): Record<string, number> {
    return { 'Nats-Last-Consumer': this.deliveredConsumer, 'Nats-Last-Stream': this.deliveredStream }
  }

  private watchAcks(): void {
    const { clock } = this.host
    if (this.ackTimer?.run) return
    const wait = (this.config.ack_wait ?? ACK_WAIT_NS) / 1e6
    const oldest = Math.min(...[...this.unacknowledged.values()].map(({ at }) => at))
    this.ackTimer = clock.schedule(oldest + wait - clock.now, () => {
      for (const [seq, { at }] of this.unacknowledged)
        if (at + wait <= clock.now + 1 && !this.redeliver.includes(seq)) this.redeliver.push(seq)
      this.ackTimer = undefined
      this.deliver()
      // Those that wait for a pull stay due; a later look must not come at once.
      if (!this.ackTimer && this.unacknowledged.size > 0)
        this.ackTimer = clock.schedule(wait / 4, () => this.watchAcksAgain())
    })
  }

  private watchAcksAgain(): void {
    this.ackTimer = undefined
    this.watchAcks()
  }

  /** A consumer without interest, or without pulls, ends by itself. */
  private watchInactivity(): void {
    const { clock } = this.host
    clock.cancel(this.inactivity)
    const { inactive_threshold: given = 0 } = this.config
    if (this.isDurable && given === 0) return
    this.inactivity = clock.schedule((given || INACTIVE_NS) / 1e6, () => {
      const isUsed = this.isPush
        ? this.host.hasInterest(this.config.deliver_subject!)
        : this.requests.some(({ inbox }) => this.host.hasInterest(inbox))
      if (isUsed) return this.watchInactivity()
      this.stream.consumers.delete(this.name)
      this.end()
    })
  }
}

function parsePull(payload: Buffer): {
  batch: number
  expires: number
  noWait: boolean
  maxBytes: number
  heartbeatMs: number
} {
  const text = payload.toString()
  const request = text.startsWith('{') ? (JSON.parse(text) as Record<string, number>) : { batch: Number(text) || 1 }
  return {
    batch: request.batch || 1,
    expires: (request.expires ?? 0) / 1e6,
    noWait: Boolean(request.no_wait),
    maxBytes: request.max_bytes || Infinity,
    heartbeatMs: (request.idle_heartbeat ?? 0) / 1e6,
  }
}

/** @throws ApiError as nats-server refuses it */
export function checkConsumerConfig(config: ConsumerConfig): void {
  if (config.deliver_subject === undefined && config.ack_policy === 'none' && config.idle_heartbeat)
    throw new ApiError(400, 10_088, 'consumer idle heartbeat requires a push based consumer')
}
