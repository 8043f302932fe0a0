import { hitOf } from '../../engine/mod.js'
import type { GapMessage } from './protocol.js'
import type { GapEntry, HitEntry } from './ring.js'
import { textFrame } from './text_frame.js'

const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * The ring entry of a message of stream HITS. The engine's JSON is passed on unchanged, with `type` and `seq` in front
 * of its own fields.
 * @throws ALPR_ERR_REQUEST_INVALID, SyntaxError or TypeError if the message is not a hit
 */
export function hitEntry(seq: number, payload: Uint8Array): HitEntry {
  const text = decoder.decode(payload).trim()
  const { list, camera, priority, lat, lon, tsLast } = hitOf(JSON.parse(text))
  return {
    kind: 'hit',
    seq,
    frame: textFrame(`{"type":"hit","seq":${seq},${text.slice(1)}`),
    facts: { list, camera, priority, lat, lon, tsLast },
  }
}

/** The entry for sequences `from` to `to`, both included, that the stream no longer has. */
export function gapEntry(from: number, to: number): GapEntry {
  return { kind: 'gap', seq: to, frame: textFrame(JSON.stringify({ type: 'gap', from, to } satisfies GapMessage)) }
}
