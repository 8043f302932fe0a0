import type { KV } from 'nats'
import { AlprError } from '../errors.js'
import type { Extracted } from '../sources/source.js'
import { poisonKey } from '../nats/topology.js'
import { firstUndone, type Position } from '../partition/position.js'
import type { Semaphore } from '../runtime/semaphore.js'

/** After this many tenures in a row that began at one offset, the next is careful: none of them got anywhere. */
const kSuspicious = 3
/**
 * A message is dead-lettered when this many processes in a row ended while it was the only one in work. Two may be a
 * coincidence, where somebody kills an engine repeatedly from outside.
 */
const kCrashes = 3
/** Messages of a tenure that are processed carefully: more than are ever in flight beyond a committed offset. */
const kCarefulMessages = 512

/** JSON in bucket FLOORS. */
interface Note {
  /** The committed offset at which the tenure began, and where cameras that were behind began. */
  floor: number
  behind?: number[]
  /** Tenures in a row that began, in part at least, where the one before did. */
  tenures: number
  /** The message in work. */
  trying?: number
  /** The message during which a process last ended, and how many processes did. */
  suspect?: { seq: number; crashes: number }
  /** The process that wrote it. */
  session: string
}

/** The process that holds a partition. */
export interface EngineProcess {
  /** Distinguishes it from every other process (InstanceName). */
  session: string
  /** One permit for all partitions: with two messages in work nobody could tell which one ended the process. */
  alone: Semaphore
}

/**
 * Finds the message that ends the whole process, as a fault in native code does, and dead-letters it. No error of it is
 * ever seen: the process is gone, and the next one would begin with the same message, forever.
 *
 *     offset F ──► crash ──► offset F ──► crash ──► offset F: careful
 *         one message at a time in this process, its sequence noted while it is in work
 *         ──► crash ──► the same sequence ──► crash ──► again ──► crash ──► DEAD, and on
 *
 * The note has its own key in bucket FLOORS (`trial.<partition>`). It costs one write a tenure, and two writes a
 * message while careful.
 */
export class PoisonGuard {
  #carefulLeft: number

  private constructor(
    private readonly kv: KV,
    private readonly key: string,
    private readonly alone: Semaphore,
    private note: Note,
  ) {
    this.#carefulLeft = note.tenures >= kSuspicious ? kCarefulMessages : 0
  }

  /** Reads the note of the previous tenures and counts this one. @throws when NATS does not answer */
  static async begin(
    kv: KV,
    partition: string,
    { committed, behind = [] }: Pick<Position, 'committed' | 'behind'>,
    { session, alone }: EngineProcess,
  ): Promise<PoisonGuard> {
    const key = poisonKey(partition)
    const entry = await kv.get(key)
    const previous = entry?.operation === 'PUT' ? entry.json<Note>() : undefined
    const starts = [committed, ...behind.map(({ done }) => done)]
    const isStuck = previous && [previous.floor, ...(previous.behind ?? [])].some((start) => starts.includes(start))
    const tenures = isStuck ? previous.tenures + 1 : 1
    const note: Note = {
      floor: committed,
      behind: starts.slice(1),
      tenures,
      session,
      suspect: suspectOf(previous, session),
    }
    // A message that is done is no longer suspect.
    if (note.suspect && note.suspect.seq < firstUndone({ committed, behind })) delete note.suspect
    // A suspect is processed alone, even when the committed offset has moved nearer to it since.
    if (note.suspect) note.tenures = Math.max(note.tenures, kSuspicious)
    await kv.put(key, JSON.stringify(note))
    return new PoisonGuard(kv, key, alone, note)
  }

  /** Whether messages are processed one at a time. */
  get careful(): boolean {
    return this.#carefulLeft > 0
  }

  /** Extracts a message, as carefully as necessary. @throws what `extract` throws */
  async run(seq: number, extract: () => Promise<Extracted>): Promise<Extracted> {
    if (!this.careful) return extract()
    this.#carefulLeft--
    const { note } = this
    if (note.suspect?.seq === seq && note.suspect.crashes >= kCrashes) {
      const reason = `the engine ended ${note.suspect.crashes} times while it had this frame and no other`
      return { observed: [], rejected: [{ error: new AlprError('ALPR_ERR_FRAME_CRASHED', { reason }) }] }
    }
    return this.alone.run(async () => {
      await this.write({ ...note, trying: seq })
      try {
        return await extract()
      } finally {
        // It did no harm. Otherwise it would be suspect when the message of another partition ends the process.
        await this.write({ ...note, trying: undefined })
      }
    })
  }

  /** Without NATS there is no note; but then the message cannot be acknowledged either, and comes again. */
  private async write(note: Note): Promise<void> {
    this.note = note
    await this.kv.put(this.key, JSON.stringify(note)).catch(() => {})
  }
}

/**
 * A message is suspect when its process ended while it was in work. A previous tenure of this same process left the
 * process alive, so it makes nothing suspect.
 */
function suspectOf(previous: Note | undefined, session: string): Note['suspect'] {
  if (previous?.trying === undefined || previous.session === session) return previous?.suspect
  const { trying, suspect } = previous
  return { seq: trying, crashes: suspect?.seq === trying ? suspect.crashes + 1 : 1 }
}
