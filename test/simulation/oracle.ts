import type { Hit } from '../../engine/model/hit.js'
import type { StoredRead } from '../../engine/store/tables.js'
import { isEntrance } from './entrances.js'
import type { Removal, StoredMessage, Stream } from './nats/stream.js'
import { fieldOf } from './nats/wire.js'
import type { SimulatedStore } from './store.js'
import type { Trace } from './trace.js'
import type { CameraMessage } from './traffic.js'

export type FindingKind =
  | 'lost'
  /** Still on its stream, beyond what is committed. */
  | 'waiting'
  /** More than one read of one car. */
  | 'cut'
  /** One message is both. */
  | 'read and dead'
  | 'doubled'
  | 'buried'
  | 'ledger'
  | 'hit'
  | 'hit order'
  | 'id'
  | 'untrimmed'
  | 'crash'
  | 'refused'

export interface Finding {
  kind: FindingKind
  text: string
}

/** What the oracle knows of one message. */
interface Known {
  message: CameraMessage
  isAcknowledged: boolean
  /** Places on streams where it is or was, and why it is gone from there. */
  places: { stream: string; seq: number; gone?: string; isLost?: true }[]
}

/** Reads, hits and ledger of one camera message may come short by what an operator or a power failure took. */
interface Count {
  least: number
  most: number
}

/**
 * Balances every message that a stream accepted against what came of it: its detections are in exactly one stored read
 * each, or it is a dead letter; the ledger adds up; each revision of a hit exists once, in order, on the stream and in
 * the store. Messages that a power failure or an operator took from a stream may be missing, everything else may not.
 */
export class Oracle {
  /** Found at once, in the order of their times. */
  readonly findings: Finding[] = []
  /** Cameras that were not registered all the time: their messages may be dead letters. */
  readonly unsteadyCameras = new Set<string>()
  /** Plates on a list that was in force all the time: each of their reads has a hit. */
  readonly watchedPlates = new Set<string>()
  /** DEAD is full: of some dead letters only the ledger tells. */
  mayOnlyCountDead = false
  /** Cameras that send more than can be read, on a small stream: some of their messages become dead letters. */
  readonly overloadedCameras = new Set<string>()
  /** There are no faults. */
  isUndisturbed = false
  /** By the clock of NATS, ms. */
  private calmSince = Infinity
  private readonly streams = new Set<Stream>()
  private readonly known = new Map<string, Known>()
  private readonly byPlace = new Map<string, Known>()
  private readonly byPayload = new Map<string, Known>()
  private readonly deadMessages = new Map<Known, { whole: boolean; parts: Set<string>; reason: string }>()
  private readonly hitsOnStream: Hit[] = []
  private readonly firstOfRead = new Map<string, string>()

  /** @param serverTime wall clock of NATS, ms */
  constructor(
    private readonly store: SimulatedStore,
    private readonly trace: Trace,
    private readonly serverTime: () => number,
  ) {}

  add(kind: FindingKind, text: string): void {
    this.findings.push({ kind, text })
    this.trace.note('oracle', `${kind}: ${text}`)
  }

  /** A camera is about to send this message for the first time. */
  expect(message: CameraMessage, payload: Buffer): void {
    const known = { message, isAcknowledged: false, places: [] }
    this.known.set(message.id, known)
    this.byPayload.set(payload.toString('latin1'), known)
  }

  acknowledged(message: CameraMessage): void {
    this.known.get(message.id)!.isAcknowledged = true
  }

  /** A stream that is full refused a message. */
  refusedByFull({ id, camera }: CameraMessage): void {
    if (this.isUndisturbed && this.overloadedCameras.size > 0 && !this.overloadedCameras.has(camera))
      this.add('refused', `${id} by a stream that another camera fills`)
  }

  get messageCount(): number {
    return this.known.size
  }

  stored(stream: Stream, { seq, subject, header, data }: StoredMessage): void {
    if (isEntrance(stream)) {
      this.streams.add(stream)
      const known = this.known.get(fieldOf(header, 'Nats-Msg-Id') ?? '')
      if (!known) return
      known.places.push({ stream: stream.name, seq })
      this.byPlace.set(placeOf(stream, seq), known)
    } else if (stream.name === 'HITS') this.noteHit(JSON.parse(data.toString()) as Hit)
    else if (stream.name === 'DEAD') this.noteDead(subject, header, data)
  }

  removed(stream: Stream, messages: readonly StoredMessage[], why: Removal, by: string): void {
    if (!isEntrance(stream)) return
    for (const { seq } of messages) {
      const known = this.byPlace.get(placeOf(stream, seq))
      const place = known?.places.findLast((one) => one.stream === stream.name && one.seq === seq && !one.gone)
      if (!known || !place) continue
      place.gone = `${why} by ${by || 'the server'} at ${this.trace.time}`
      if (why === 'set back' || by === 'operator') {
        place.isLost = true
        for (const plate of known.message.plates) this.lostPlates.add(plate)
      }
      if (why === 'limit') this.add('lost', `${known.message.id} was deleted by a bound of ${stream.name}`)
    }
  }

  /** Sees the rows of every insert: an id never names two things. */
  readsInserted(reads: readonly StoredRead[]): void {
    for (const { readId, camera, ts } of reads) {
      const first = `${camera} at ${ts}`
      const before = this.firstOfRead.get(readId)
      if (before === undefined) this.firstOfRead.set(readId, first)
      else if (before !== first) this.add('id', `read ${readId} is ${before} and then ${first}`)
    }
  }

  /** Faults have ended: from now on streams must be trimmed. */
  beCalm(): void {
    this.calmSince = this.serverTime()
  }

  /** Everything that is wrong or unfinished now. After a calm time it must be empty. */
  check(): Finding[] {
    const findings: Finding[] = []
    const add = (kind: FindingKind, text: string) => findings.push({ kind, text })
    this.checkReads(add)
    this.checkDead(add)
    this.checkLedger(add)
    this.checkHits(add)
    this.checkTrimmed(add)
    return findings
  }

  private noteHit(hit: Hit): void {
    this.trace.note('nats', `has hit ${hit.hitId} revision ${hit.revision}, ${hit.state}, list ${hit.listVersion}`)
    this.hitsOnStream.push(hit)
  }

  private noteDead(subject: string, header: Buffer | undefined, data: Buffer): void {
    const reason = fieldOf(header, 'Dead-Reason')
    // Somebody else's.
    if (reason === undefined) return
    const index = fieldOf(header, 'Dead-Index')
    const origin = `${fieldOf(header, 'Dead-Subject')} ${fieldOf(header, 'Dead-Sequence')}`
    const known = (index === undefined && this.byPayload.get(data.toString('latin1'))) || this.originOf(header)
    if (!known) return this.add('id', `a dead letter of ${origin} (${subject}) has no origin`)
    const dead = this.deadMessages.get(known) ?? { whole: false, parts: new Set<string>(), reason }
    this.deadMessages.set(known, dead)
    if (index === undefined) {
      if (dead.whole) this.add('doubled', `${known.message.id} is on DEAD twice`)
      dead.whole = true
      for (const plate of known.message.plates) this.deadPlates.add(plate)
    } else {
      if (dead.parts.has(index)) this.add('doubled', `part ${index} of ${known.message.id} is on DEAD twice`)
      dead.parts.add(index)
    }
  }

  private originOf(header: Buffer | undefined): Known | undefined {
    const tokens = fieldOf(header, 'Dead-Subject')?.split('.') ?? []
    const seq = Number(fieldOf(header, 'Dead-Sequence'))
    const isOrigin = ({ message, places }: Known) =>
      message.entrance === tokens[0] && message.camera === tokens.at(-1) && places.some((place) => place.seq === seq)
    return [...this.known.values()].findLast(isOrigin)
  }

  /** Messages that a stream holds or held; `isSure`: nothing but the engine may have taken it. */
  private *accepted(): Iterable<{ known: Known; isSure: boolean; isDead: boolean }> {
    for (const known of this.known.values()) {
      if (known.places.length === 0) {
        if (known.isAcknowledged && !this.lostAcks.has(known)) {
          this.lostAcks.add(known)
          this.add('lost', `${known.message.id} was acknowledged and is on no stream`)
        }
        continue
      }
      const isSure = known.places.some(({ isLost }) => !isLost)
      yield { known, isSure, isDead: this.deadMessages.get(known)?.whole === true }
    }
  }
  private readonly lostAcks = new Set<Known>()
  private readonly deadPlates = new Set<string>()
  /** Of messages that an operator or a power failure took: a hit may have left before them. */
  private readonly lostPlates = new Set<string>()

  private mayBeCountedOnly({ message }: Known): boolean {
    return this.mayOnlyCountDead && this.unsteadyCameras.has(message.camera)
  }

  private hasBuriedParts(known: Known): boolean {
    return (this.deadMessages.get(known)?.parts.size ?? 0) > known.message.invalidParts
  }

  private checkReads(add: (kind: FindingKind, text: string) => void): void {
    const expected = new Map<string, Count & { dead: number; ids: string[] }>()
    for (const { known, isSure, isDead } of this.accepted()) {
      for (const plate of known.message.plates) {
        const count = expected.get(plate) ?? { least: 0, most: 0, dead: 0, ids: [] }
        expected.set(plate, count)
        count.ids.push(known.message.id)
        if (isDead) {
          count.dead++
          continue
        }
        count.most++
        if (isSure && !this.mayBeCountedOnly(known) && !this.hasBuriedParts(known)) count.least++
      }
    }
    const found = new Map<string, { frames: number; reads: string[] }>()
    for (const { plate, frames, readId } of this.store.reads.values()) {
      const sum = found.get(plate) ?? { frames: 0, reads: [] }
      found.set(plate, sum)
      sum.frames += frames
      sum.reads.push(readId)
    }
    for (const [plate, { least, most, dead, ids }] of expected) {
      const { frames, reads } = found.get(plate) ?? { frames: 0, reads: [] }
      found.delete(plate)
      if (frames < least)
        add(
          this.someWait(ids) ? 'waiting' : 'lost',
          `${least - frames} of ${most} detections of ${plate}: ${this.placesOf(ids)}`,
        )
      // Between its first and its last frame, too many may be dead.
      if (reads.length > 1 && frames <= most && dead === 0)
        add('cut', `${plate}, seen ${most} times, has reads ${reads.join(', ')}`)
      if (frames > most)
        add(
          frames > most + dead ? 'doubled' : 'read and dead',
          `${plate} was seen ${most} times and is in reads ${frames} times: ${ids}`,
        )
    }
    for (const plate of found.keys()) add('id', `there is a read of ${plate}, which nobody sent`)
  }

  /** Whether one of these messages is on a stream now: what came before it may be part of an open pass. */
  private someWait(ids: string[]): boolean {
    return ids.some((id) => this.known.get(id)!.places.some(({ gone }) => !gone))
  }

  private placesOf(ids: string[]): string {
    return ids
      .map((id) => {
        const places = this.known
          .get(id)!
          .places.map(({ stream, seq, gone }) => `${stream} ${seq}${gone ? ` (${gone})` : ''}`)
        return `${id} at ${places.join(' and ') || 'no place'}`
      })
      .join(', ')
  }

  private checkDead(add: (kind: FindingKind, text: string) => void): void {
    for (const { known, isSure, isDead } of this.accepted()) {
      const { id, camera, isBroken, invalidParts } = known.message
      const dead = this.deadMessages.get(known)
      const isRefused = this.overloadedCameras.has(camera) && dead?.reason === 'ALPR_ERR_CAMERA_BEHIND'
      const mayBeDead = isBroken || isRefused || this.unsteadyCameras.has(camera)
      const buriedParts = Math.max(0, (dead?.parts.size ?? 0) - invalidParts)
      if (buriedParts > 0 && !mayBeDead) add('buried', `${buriedParts} valid parts of ${id}: ${dead!.reason}`)
      if (isDead && !mayBeDead) add('buried', `${id} is valid and on DEAD: ${dead!.reason}`)
      if (this.mayOnlyCountDead) continue
      const missing = this.someWait([id]) ? 'waiting' : 'lost'
      if (isBroken && isSure && !isDead) add(missing, `${this.placesOf([id])} is broken and not on DEAD`)
      if (isSure && !isDead && !isBroken && (dead?.parts.size ?? 0) < invalidParts)
        add(missing, `${this.placesOf([id])} has ${invalidParts} invalid parts, ${dead?.parts.size ?? 0} on DEAD`)
    }
  }

  private checkLedger(add: (kind: FindingKind, text: string) => void): void {
    const expected = new Map<string, Count & { ids: string[] }>()
    for (const { known, isSure, isDead } of this.accepted()) {
      const { message } = known
      const count = expected.get(message.camera) ?? { least: 0, most: 0, ids: [] }
      expected.set(message.camera, count)
      count.ids.push(message.id)
      const isWhole = isDead || message.isBroken || message.entrance === 'frames'
      const by = isWhole ? 1 : message.plates.length + message.invalidParts
      count.most += by
      // A dead letter counts as one, however many plates the message has.
      if (isSure) count.least += this.mayBeCountedOnly(known) ? Math.min(1, by) : by
    }
    const sums = new Map<string, number>()
    for (const { camera, hour, part, framesIn, withReads, withoutPlate, dead } of this.store.ledger.values()) {
      sums.set(camera, (sums.get(camera) ?? 0) + framesIn)
      if (framesIn !== withReads + withoutPlate + dead)
        add('ledger', `${camera} hour ${hour} part ${part}: ${framesIn} in, ${withReads}, ${withoutPlate}, ${dead}`)
    }
    for (const [camera, { least, most, ids }] of expected) {
      const sum = sums.get(camera) ?? 0
      const isWaiting = sum < least && this.someWait(ids)
      if (sum < least || sum > most)
        add(isWaiting ? 'waiting' : 'ledger', `${camera} counts ${sum}, ${least} to ${most} came in`)
    }
  }

  private checkTrimmed(add: (kind: FindingKind, text: string) => void): void {
    if (this.serverTime() - this.calmSince < TRIM_MS) return
    for (const stream of this.streams) {
      const old = stream.messages.filter(({ time }) => time < this.serverTime() - TRIM_MS)
      if (old.length > 0) add('untrimmed', `${stream.name} still has ${old.length} old messages from ${old[0]!.seq} on`)
    }
  }

  private checkHits(add: (kind: FindingKind, text: string) => void): void {
    const byId = new Map<string, Hit[]>()
    for (const hit of this.hitsOnStream) {
      const revisions = byId.get(hit.hitId)
      if (revisions) revisions.push(hit)
      else byId.set(hit.hitId, [hit])
    }
    for (const [id, revisions] of byId) {
      const numbers = revisions.map(({ revision }) => revision)
      const text = () => `${id} has revisions ${revisions.map((one) => `${one.revision} ${one.state}`).join(', ')}`
      if (!isCount([...numbers].sort((x, y) => x - y))) add('hit', text())
      else if (!isCount(numbers)) add('hit order', text())
      for (const one of revisions) {
        const { revision, state } = one
        const stored = this.store.hits.get(`${id} ${revision}`)
        const { plate } = revisions[0]!
        if (!stored && !this.lostPlates.has(plate))
          add(
            this.deadPlates.has(plate) ? 'read and dead' : 'hit',
            `${id} revision ${revision} (${state}) was published and is not in the store`,
          )
        if (!stored) continue
        if (stored.state !== state) add('hit', `${id} revision ${revision} is ${state}, in the store ${stored.state}`)
        else if (differing(one, stored).length > 0)
          add('hit', `${id} revision ${revision} is not as in the store: ${differing(one, stored)}`)
      }
      const last = revisions.at(-1)!
      if (last.state === 'possible' && !this.store.reads.has(last.readId) && !this.lostPlates.has(last.plate))
        add('hit', `${id} is possible, and its read ${last.readId} is not in the store`)
    }
    for (const { hitId, revision } of this.store.hits.values())
      if (!byId.get(hitId)?.some((one) => one.revision === revision))
        add('hit', `${hitId} revision ${revision} is in the store and was not published`)
    for (const { plate, readId } of this.store.reads.values()) {
      // Its hit is withdrawn when its messages are not read again.
      if (!this.watchedPlates.has(plate) || this.deadPlates.has(plate) || this.lostPlates.has(plate)) continue
      const hits = [...byId.values()].filter(([first]) => first!.readId === readId)
      if (!hits.some((revisions) => revisions.at(-1)!.state === 'possible'))
        add('hit', `read ${readId} of ${plate}, which is on a list, has no hit`)
    }
  }
}

/** Names of the fields that are not the same. */
const differing = (one: Hit, other: Hit): string[] =>
  [...new Set([...Object.keys(one), ...Object.keys(other)])].filter(
    (name) => JSON.stringify(one[name as keyof Hit]) !== JSON.stringify(other[name as keyof Hit]),
  )

/** 1, 2, 3 ... */
const isCount = (numbers: number[]): boolean => numbers.every((number, index) => number === index + 1)

/** Processed messages leave their stream within this time, ms. */
const TRIM_MS = 25_000

const placeOf = ({ name, created }: Stream, seq: number): string => `${name} ${created} ${seq}`
