import { headers, type JetStreamClient, type JsMsg } from 'nats'
import type { AlprError } from './errors.js'
import type { FrameMessage } from './frames/frame.js'
import { deadSubject, HEADER } from './nats/topology.js'

/**
 * Puts a frame that cannot be processed on stream DEAD with the reason, where it came from and its own headers and payload: nothing is
 * dropped in silence. The message id derives from the stream sequence, so doing it twice leaves one.
 */
export async function deadLetter(js: JetStreamClient, source: FrameMessage & { message: JsMsg }, error: AlprError): Promise<void> {
  const header = headers()
  for (const [name, values] of source.message.headers ?? []) {
    if (!name.startsWith('Nats-')) for (const value of values) header.append(name, value)
  }
  header.set(HEADER.deadReason, error.code)
  header.set(HEADER.deadMessage, error.message.replace(/[\r\n]/g, ' ').slice(0, 500))
  header.set(HEADER.deadSubject, source.subject)
  header.set(HEADER.deadSequence, String(source.seq))
  header.set(HEADER.deadAt, new Date(source.arrivedAt).toISOString())
  header.set(HEADER.msgId, `dead-${source.seq}`)
  await js.publish(deadSubject(source.camera), source.payload, { headers: header, timeout: 10_000 })
}
