import type { KV } from 'nats'
import { AlprError } from '../errors.js'
import type { Extracted } from '../sources/source.js'
import { trialKey } from '../nats/topology.js'
import type { Semaphore } from '../runtime/semaphore.js'

/**
 * From this many tenures in a row on that began at the same floor, one is careful: whoever held it before came to an
 * end before it got anywhere.
 */
const kSuspicious = 3
/**
 * A frame that was in work, alone, when its process ended so many times in a row is set aside. Two may be chance, where
 * somebody kills an engine again and again from outside.
 */
const kCrashes = 3
/** So many frames of a tenure are taken carefully: more than are ever in flight beyond a floor. */
const kCarefulFrames = 512

interface Note {
  /** Where the tenure began; a note about another floor is of the past. */
  floor: number
  /** Tenures that began there, one after the other. */
  tenures: number
  /** The frame in work. */
  trying?: number
  /** The frame in which a process ended last, and how often one did. */
  suspect?: { seq: number; crashes: number }
  /** The process that wrote it. */
  session: string
}

/** The process that holds a partition. */
export interface Self {
  /** Tells it from every other (Identity). */
  session: string
  /** One permit for all partitions: with two frames in work nobody could tell which one ended the process. */
  alone: Semaphore
}

/**
 * Finds the frame that ends the whole process, as a fault in native code does, and sets it aside: no error is ever seen
 * of it, the process is gone, and the next one would begin with the same frame, for ever.
 *
 *     floor F ──► crash ──► floor F ──► crash ──► floor F: careful
 *                                                   one frame at a time in this process, its number written down while it is in work
 *                                                   ──► crash ──► the same number again ──► crash ──► and again ──► crash ──► DEAD, and on
 *
 * The note is a key of its own in bucket FLOORS (`trial.<partition>`). It costs one write a tenure, and two a frame
 * only while careful.
 */
export class PoisonGuard {
  #left: number

  private constructor(
    private readonly kv: KV,
    private readonly key: string,
    private readonly alone: Semaphore,
    private note: Note,
  ) {
    this.#left = note.tenures >= kSuspicious ? kCarefulFrames : 0
  }

  /** Reads what the tenures before came to, and counts this one. @throws when NATS does not answer */
  static async begin(kv: KV, partition: string, floor: number, { session, alone }: Self): Promise<PoisonGuard> {
    const key = trialKey(partition)
    const entry = await kv.get(key)
    const before = entry?.operation === 'PUT' ? entry.json<Note>() : undefined
    const same = before?.floor === floor ? before : undefined
    const note: Note = { floor, tenures: (same?.tenures ?? 0) + 1, session, suspect: suspectOf(before, session) }
    // Whoever is done with is suspected no more.
    if (note.suspect && note.suspect.seq <= floor) delete note.suspect
    // A frame that is suspected is tried alone, also when the floor has come nearer to it since.
    if (note.suspect) note.tenures = Math.max(note.tenures, kSuspicious)
    await kv.put(key, JSON.stringify(note))
    return new PoisonGuard(kv, key, alone, note)
  }

  /** Whether frames are taken one at a time. */
  get careful(): boolean {
    return this.#left > 0
  }

  /** Looks at a message, as carefully as it has to be. Never throws, as `look` does not. */
  async guard(seq: number, look: () => Promise<Extracted>): Promise<Extracted> {
    if (!this.careful) return look()
    this.#left--
    const { note } = this
    if (note.suspect?.seq === seq && note.suspect.crashes >= kCrashes) {
      return {
        seen: [],
        refused: [
          {
            error: new AlprError('ALPR_ERR_FRAME_CRASHED', {
              reason: `the engine ended ${note.suspect.crashes} times while it had this frame and no other`,
            }),
          },
        ],
      }
    }
    return this.alone.run(async () => {
      await this.write({ ...note, trying: seq })
      try {
        return await look()
      } finally {
        // It did no harm. Without this it would be suspected when another partition's frame ends the process.
        await this.write({ ...note, trying: undefined })
      }
    })
  }

  /** Without NATS there is no note; nor can the frame be acknowledged then, so it comes again. */
  private async write(note: Note): Promise<void> {
    this.note = note
    await this.kv.put(this.key, JSON.stringify(note)).catch(() => {})
  }
}

/**
 * A process that ended while it had a frame makes that frame suspect; a tenure of this very process that ended left the
 * process alive.
 */
function suspectOf(before: Note | undefined, session: string): Note['suspect'] {
  if (before?.trying === undefined || before.session === session) return before?.suspect
  return { seq: before.trying, crashes: before.suspect?.seq === before.trying ? before.suspect.crashes + 1 : 1 }
}
