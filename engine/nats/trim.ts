import type { JetStreamManager } from 'nats'
import { STREAM } from './topology.js'

/**
 * Takes the frames out of FRAMES that every partition has acknowledged, so that the stream's bound counts waiting frames only. Cuts at the lowest
 * ack floor, which drops whole blocks of the file; a purge per partition would rewrite them. A partition that stands still therefore holds back the
 * room of all: that is the bound `framesMaxBytes` acting, as it must.
 *
 * Nothing is cut as long as one of the consumers does not exist: nobody has processed its frames yet.
 * @param consumers names of the durable consumers, one for each partition
 * @returns the sequence below which everything is gone, 0 if nothing could be cut
 */
export async function trimFrames(manager: JetStreamManager, consumers: readonly string[]): Promise<number> {
  // Read before the consumers: what arrives in between is above it, and so never cut for a consumer that has nothing pending.
  const { state } = await manager.streams.info(STREAM.frames)
  let floor = state.last_seq
  for (const name of consumers) {
    const info = await manager.consumers.info(STREAM.frames, name).catch((error: unknown) => {
      if ((error as { api_error?: { err_code: number } }).api_error?.err_code === kConsumerNotFound) return undefined
      throw error
    })
    if (!info) return 0
    const idle = info.num_pending === 0 && info.num_ack_pending === 0
    if (!idle) floor = Math.min(floor, info.ack_floor.stream_seq)
  }
  if (floor < state.first_seq) return 0
  await manager.streams.purge(STREAM.frames, { seq: floor + 1 })
  return floor + 1
}

const kConsumerNotFound = 10_014
