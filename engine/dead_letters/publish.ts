import { headers, type JetStreamClient, type MsgHdrs } from 'nats'
import type { AlprError } from '../errors.js'
import type { CameraMessage } from '../model/capture.js'
import { deadSubject, HEADER } from '../nats/topology.js'

/** A single detection of a message: the others may be valid. */
export interface DeadPart {
  /** Its index in the message, from 0. */
  index: number
  payload: Uint8Array
}

/**
 * Publishes a message that cannot be processed, or one detection of it, to stream DEAD with the reason, its origin and
 * its own headers and payload: nothing is dropped silently.
 * @param id unique for this message, or this part of it: publishing it twice stores one
 * @param payload whether to keep the payload too (dead_letters/quota.ts)
 */
export async function publishDeadLetter(
  js: JetStreamClient,
  source: CameraMessage & { headers: MsgHdrs | undefined },
  error: AlprError,
  { id, part, payload }: { id: string; part?: DeadPart; payload: boolean },
): Promise<void> {
  const header = headers()
  for (const [name, values] of source.headers ?? []) {
    if (!name.startsWith('Nats-')) for (const value of values) header.append(name, value)
  }
  const content = part?.payload ?? source.payload
  header.set(HEADER.deadReason, error.code)
  header.set(HEADER.deadMessage, error.message.replace(/[\r\n]/g, ' ').slice(0, 500))
  header.set(HEADER.deadSubject, source.subject)
  header.set(HEADER.deadSequence, String(source.seq))
  header.set(HEADER.deadAt, new Date(source.arrivedAt).toISOString())
  if (part) header.set(HEADER.deadIndex, String(part.index))
  if (!payload) header.set(HEADER.deadBytes, String(content.length))
  header.set(HEADER.msgId, `dead-${id}`)
  await js.publish(deadSubject(source.camera, error.code), payload ? content : '', { headers: header, timeout: 10_000 })
}
