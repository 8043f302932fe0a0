import type { ClickHouseClient } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'

/** The rows of a query. */
export const rowsOf = async <Row>(store: ClickHouseClient, query: string): Promise<Row[]> =>
  (await store.query({ query, format: 'JSONEachRow' })).json<Row>()

/** Frames (or messages of detections) in the ledger. */
export async function framesStored(store: ClickHouseClient): Promise<number> {
  const [row] = await rowsOf<{ n: string }>(store, 'SELECT sum(frames_in) AS n FROM platestream.ledger FINAL')
  return Number(row?.n ?? 0)
}

/** Waits until the ledger has `count` frames. @throws when it does not grow for two minutes */
export async function untilStored(
  store: ClickHouseClient,
  count: number,
  onProgress: (stored: number) => void = () => {},
): Promise<void> {
  for (let last = -1, stuckSince = Date.now(); ; ) {
    const stored = await framesStored(store)
    onProgress(stored)
    if (stored >= count) return
    if (stored !== last) [last, stuckSince] = [stored, Date.now()]
    if (Date.now() - stuckSince > 120_000) throw new Error(`the ledger stays at ${stored} of ${count} frames`)
    // The query costs the store as much as a few frames.
    await sleep(1_000)
  }
}
