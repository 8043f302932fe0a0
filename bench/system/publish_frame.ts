import { headers, type NatsConnection } from 'nats'
import { type ClickHouseClient, framesSubject, HEADER } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import type { BenchFrame } from './feed_frames.js'

/** Publishes a frame until the stream has it. `capturedAt` ms; `id` keeps a second try from being a second frame. */
export async function publishFrame(
  connection: NatsConnection,
  frame: BenchFrame,
  capturedAt: number,
  id: string,
): Promise<void> {
  const header = headers()
  header.set(HEADER.capturedAt, new Date(capturedAt).toISOString())
  header.set(HEADER.msgId, id)
  for (;;) {
    try {
      await connection
        .jetstream()
        .publish(framesSubject(frame.camera), frame.jpeg, { headers: header, timeout: 10_000 })
      return
    } catch {
      await sleep(100)
    }
  }
}

/** Frames in the ledger. */
export async function framesStored(store: ClickHouseClient): Promise<number> {
  const result = await store.query({
    query: 'SELECT sum(frames_in) AS n FROM platestream.ledger FINAL',
    format: 'JSONEachRow',
  })
  return Number((await result.json<{ n: string }>())[0]?.n ?? 0)
}

/** Waits until the ledger has `count` frames. @throws when it does not move for two minutes */
export async function untilStored(
  store: ClickHouseClient,
  count: number,
  tell: (stored: number) => void,
): Promise<void> {
  for (let last = -1, stuckSince = Date.now(); ; ) {
    const stored = await framesStored(store)
    tell(stored)
    if (stored >= count) return
    if (stored !== last) [last, stuckSince] = [stored, Date.now()]
    if (Date.now() - stuckSince > 120_000) throw new Error(`the ledger stays at ${stored} of ${count} frames`)
    // To ask costs the store as much as a few frames.
    await sleep(1_000)
  }
}
