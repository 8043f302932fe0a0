import { headers, type NatsConnection } from 'nats'
import { framesSubject, HEADER } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import type { BenchFrame } from './feed_frames.js'

/**
 * Publishes a frame, and tries again until the stream acknowledges it.
 * @param capturedAt ms since 1970
 * @param id message id: a second try does not become a second frame
 */
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
