import { hourOf } from '../../engine/internal_mod.js'
import type { Acknowledged } from './oracle.js'
import type { Outcome } from './outcome.js'

export interface FaultCase {
  /** Acknowledged by the stream. */
  frames: readonly Acknowledged[]
  forgotten: readonly Acknowledged[]
  outcome: Outcome
  /** Outcome of the same frames without a fault. */
  reference: Outcome
  /** Columns of `reads` that the fault may change, such as the version of the lists. */
  changing?: readonly string[]
}

/**
 * Checks that nothing is lost or duplicated: compares what is stored and delivered with what was acknowledged and with
 * the outcome of the same frames without a fault.
 * @returns the errors as sentences; empty when there are none
 */
export function judge({ frames, forgotten, outcome, reference, changing = [] }: FaultCase): string[] {
  const wrong: string[] = []
  const report = (bad: unknown[], what: string) => {
    if (bad.length > 0)
      wrong.push(
        `${what}: ${bad
          .slice(0, 3)
          .map((one) => (typeof one === 'string' ? one : JSON.stringify(one)))
          .join('; ')}${bad.length > 3 ? ` and ${bad.length - 3} more` : ''}`,
      )
  }

  report(
    forgotten.map(({ name }) => name),
    'acknowledged frames that the stream forgot',
  )
  report(
    differences(
      expectedLedger(frames),
      outcome.ledger.map(({ camera, hour, f, d }) => ({ camera, hour, f, d })),
    ),
    'the ledger differs from the acknowledgements',
  )
  report(
    outcome.ledger.filter(({ f, r, w, d }) => r! + w! + d! !== f),
    'ledger rows that do not add up',
  )
  report(
    differences(
      frames
        .filter(({ fate }) => fate === 'dead')
        .map(({ name }) => name)
        .sort(),
      outcome.dead,
    ),
    'dead letters',
  )
  report(outcome.duplicateReads, 'reads stored twice')
  report(differences(strip(reference.reads, changing), strip(outcome.reads, changing)), 'reads')
  report(outcome.badPictures, 'reads without their picture')
  report(outcome.duplicateRevisions, 'revisions of a hit published twice')
  if (reference.hits.length === 0) wrong.push('the reference has no hits: nothing about hits was tested')
  report(differences(reference.hits, outcome.hits), 'hits')
  report(differences(outcome.hitsOnStream, outcome.hitsStored), 'last revisions in the store differ from the stream')
  for (const delivered of outcome.delivered)
    report(differences(outcome.sequences, delivered), 'hits at a console differ from the stream')
  return wrong
}

/** Received and dead frames by camera and hour, according to the acknowledgements. */
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

/** What only one side has, as sentences. Compares multisets: order does not matter, multiplicity does. */
function differences(expected: readonly unknown[], found: readonly unknown[]): string[] {
  const left = found.map((one) => JSON.stringify(one))
  const missing: string[] = []
  for (const one of expected) {
    const at = left.indexOf(JSON.stringify(one))
    if (at < 0) missing.push(`missing ${JSON.stringify(one)}`)
    else left.splice(at, 1)
  }
  return [...missing, ...left.map((text) => `unexpected ${text}`)]
}

const strip = (rows: Record<string, unknown>[], names: readonly string[]): Record<string, unknown>[] =>
  rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !names.includes(name))))
