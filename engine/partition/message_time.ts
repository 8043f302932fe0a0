import type { JetStreamManager } from 'nats'
import { findMessage } from '../nats/find_message.js'

/** When a message arrived, by the server's clock, ms. @returns undefined when the stream no longer has it */
export async function timeOf(manager: JetStreamManager, stream: string, seq: number): Promise<number | undefined> {
  return seq < 1 ? undefined : (await findMessage(manager, stream, { seq }))?.time.getTime()
}

/** The client gives times as numbers of nanoseconds, which are exact to a quarter of a microsecond. */
const kRoundingMs = 1

/**
 * Whether the stream has another message with this sequence than the one that arrived at `at`. One that it no longer
 * has, or whose time is not known, is not another one.
 */
export async function isOther(
  manager: JetStreamManager,
  stream: string,
  seq: number,
  at: number | undefined,
): Promise<boolean> {
  if (at === undefined) return false
  const found = await timeOf(manager, stream, seq)
  return found !== undefined && Math.abs(found - at) > kRoundingMs
}
