import { hourOf } from '../../engine/internal_mod.js'
import type { Acknowledged } from './oracle.js'
import type { Outcome } from './outcome.js'

export interface Case {
  /** Acknowledged by the stream. */
  frames: readonly Acknowledged[]
  forgotten: readonly Acknowledged[]
  outcome: Outcome
  /** What came of the same frames without any fault. */
  straight: Outcome
  /** Columns of `reads` that the fault changes rightly, such as the version of the lists. */
  changing?: readonly string[]
}

/**
 * Nothing lost, nothing doubled: compares what is stored, hit and delivered with what was acknowledged and with what
 * comes of the same frames when nothing happens.
 * @returns what is wrong, in sentences; none when all is right
 */
export function judge({ frames, forgotten, outcome, straight, changing = [] }: Case): string[] {
  const wrong: string[] = []
  const say = (bad: unknown[], what: string) => {
    if (bad.length > 0)
      wrong.push(
        `${what}: ${bad
          .slice(0, 3)
          .map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
          .join('; ')}${bad.length > 3 ? ` and ${bad.length - 3} more` : ''}`,
      )
  }

  say(
    forgotten.map(({ name }) => name),
    'acknowledged frames that the stream forgot',
  )
  say(
    differences(
      expectedLedger(frames),
      outcome.ledger.map(({ camera, hour, f, d }) => ({ camera, hour, f, d })),
    ),
    'the ledger differs from the acknowledgements',
  )
  say(
    outcome.ledger.filter(({ f, r, w, d }) => r! + w! + d! !== f),
    'ledger rows that do not add up',
  )
  say(
    differences(
      frames
        .filter(({ fate }) => fate === 'dead')
        .map(({ name }) => name)
        .sort(),
      outcome.dead,
    ),
    'dead letters',
  )
  say(outcome.readsDoubled, 'reads stored twice')
  say(differences(strip(straight.reads, changing), strip(outcome.reads, changing)), 'reads')
  say(outcome.picturesBad, 'reads without their picture')
  say(outcome.revisionsDoubled, 'revisions of a hit published twice')
  say(differences(straight.hits, outcome.hits), 'hits')
  say(differences(outcome.hitsOnStream, outcome.hitsStored), 'the last revisions in the store, against the stream')
  for (const delivered of outcome.delivered)
    say(differences(outcome.sequences, delivered), 'hits at a console, against the stream')
  return wrong
}

/** Frames in and dead by camera and hour, as the acknowledgements have it. */
function expectedLedger(frames: readonly Acknowledged[]): unknown[] {
  const rows = new Map<string, { camera: string; hour: string; f: number; d: number }>()
  for (const { camera, capturedAt, fate } of frames) {
    const hour = new Date(hourOf(capturedAt)).toISOString().replace('.000Z', 'Z')
    const row = rows.get(`${camera} ${hour}`) ?? { camera, hour, f: 0, d: 0 }
    rows.set(`${camera} ${hour}`, row)
    row.f++
    if (fate === 'dead') row.d++
  }
  return [...rows.values()].sort((a, b) => (`${a.camera} ${a.hour}` < `${b.camera} ${b.hour}` ? -1 : 1))
}

/** What one side has and the other has not, as sentences. Order does not matter, number does. */
function differences(expected: readonly unknown[], found: readonly unknown[]): string[] {
  const left = found.map((one) => JSON.stringify(one))
  const missing: string[] = []
  for (const one of expected) {
    const at = left.indexOf(JSON.stringify(one))
    if (at < 0) missing.push(`missing ${JSON.stringify(one)}`)
    else left.splice(at, 1)
  }
  return [...missing, ...left.map((text) => `not expected ${text}`)]
}

const strip = (rows: Record<string, unknown>[], names: readonly string[]): Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))))
