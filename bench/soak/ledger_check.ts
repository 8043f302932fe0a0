import type { ClickHouseClient } from '../../engine/mod.js'
import { rowsOf } from '../system/ledger.js'

/** Frames of a camera in the ledger, by what became of them. */
export interface LedgerRow {
  camera: string
  frames: number
  withReads: number
  withoutPlate: number
  dead: number
}

export async function ledgerByCamera(store: ClickHouseClient): Promise<LedgerRow[]> {
  const rows = await rowsOf<Record<'camera' | 'f' | 'r' | 'w' | 'd', string>>(
    store,
    `SELECT camera, sum(frames_in) AS f, sum(with_reads) AS r, sum(without_plate) AS w, sum(dead) AS d
     FROM platestream.ledger FINAL GROUP BY camera ORDER BY camera`,
  )
  return rows.map(({ camera, f, r, w, d }) => ({
    camera,
    frames: Number(f),
    withReads: Number(r),
    withoutPlate: Number(w),
    dead: Number(d),
  }))
}

/**
 * Checks the ledger against the frames published per camera.
 * @throws when a frame is missing, is there twice, or is in no column
 */
export function demandComplete(ledger: readonly LedgerRow[], published: ReadonlyMap<string, number>): void {
  const faults = [...published].flatMap(([camera, frames]) => {
    const row = ledger.find((one) => one.camera === camera)
    if (row?.frames !== frames) return [`${camera}: ${frames} published, ${row?.frames ?? 0} in the ledger`]
    const { withReads, withoutPlate, dead } = row
    const sum = withReads + withoutPlate + dead
    const parts = `${withReads} with reads + ${withoutPlate} without a plate + ${dead} dead`
    return sum === frames ? [] : [`${camera}: ${frames} frames, but ${parts} = ${sum}`]
  })
  for (const { camera } of ledger) if (!published.has(camera)) faults.push(`${camera}: no frame was published`)
  if (faults.length > 0) throw new Error(`the ledger does not add up: ${faults.join('; ')}`)
}
