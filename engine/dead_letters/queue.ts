import { headers as newHeaders, type JetStreamManager, type NatsConnection, type StoredMsg } from 'nats'
import { AlprError } from '../errors.js'
import { detectionsSubject, ENTRANCE, framesSubject, HEADER, rootOf, STREAM } from '../nats/topology.js'

/** One frame, or one message of detections, that could not be processed, as stored on stream DEAD. */
export interface DeadLetter {
  /** Its sequence on DEAD. */
  seq: number
  camera: string
  /** The error code and its message. */
  reason: string
  message: string
  /** Its original subject, and its sequence on that stream. */
  subject: string
  sequence: number
  /** When the frame arrived, RFC 3339. */
  at: string
  /** The headers as the camera sent them. */
  headers: Record<string, string>
  /** Length of its payload. */
  bytes: number
  /** Whether the payload is there: of many letters of one camera and reason only the first have theirs. */
  kept: boolean
}

export interface DeadFilter {
  camera?: string
  /** Error code, e.g. ALPR_ERR_CAMERA_UNKNOWN. */
  reason?: string
}

const DEAD_HEADERS: readonly string[] = [
  HEADER.deadReason,
  HEADER.deadMessage,
  HEADER.deadSubject,
  HEADER.deadSequence,
  HEADER.deadIndex,
  HEADER.deadAt,
  HEADER.deadBytes,
]

/**
 * Dead letters in stream order, from sequence `from` up to the end of the stream at the call. Read one by one: payloads
 * are large and dead letters are few. A payload shows plates, so it is not given out here (`readDeadLetter`).
 */
export async function* deadLetters(
  manager: JetStreamManager,
  filter: DeadFilter = {},
  from = 1,
): AsyncGenerator<DeadLetter> {
  const { state } = await manager.streams.info(STREAM.dead)
  const subjects = filter.camera ? [`dead.${filter.camera}.*`, `dead.${filter.camera}`] : ['dead.>']
  for (let seq = Math.max(from, state.first_seq); seq <= state.last_seq; seq++) {
    // Gets the next message of a subject at or after `seq`, so gaps cost nothing.
    const found = await Promise.all(
      subjects.map((subject) =>
        direct(manager).getMessage(STREAM.dead, { seq, next_by_subj: subject }).catch(noneLeft),
      ),
    )
    const message = found.reduce((a, b) => (!a || (b && b.seq < a.seq) ? b : a), undefined)
    if (!message || message.seq > state.last_seq) return
    seq = message.seq
    const { payload: _, ...letter } = toLetter(message)
    if (!filter.reason || letter.reason === filter.reason) yield letter
  }
}

/** A dead letter without its payload. @throws ALPR_ERR_NOT_FOUND */
export async function findDeadLetter(manager: JetStreamManager, seq: number): Promise<DeadLetter> {
  const { payload: _, ...letter } = await loadDeadLetter(manager, seq)
  return letter
}

/** A dead letter with its payload, a frame or a message with plates: for `records/` only. @throws ALPR_ERR_NOT_FOUND */
export async function loadDeadLetter(
  manager: JetStreamManager,
  seq: number,
): Promise<DeadLetter & { payload: Uint8Array }> {
  const message = await direct(manager).getMessage(STREAM.dead, { seq }).catch(noneLeft)
  if (!message) throw new AlprError('ALPR_ERR_NOT_FOUND', { what: `dead letter ${seq}` })
  return toLetter(message)
}

/**
 * Publishes a dead letter to its camera's subject again, with its original headers, and deletes it from DEAD once the
 * stream has it. If this process dies in between, it is on both streams; a redrive within the stream's window of 2
 * minutes makes no duplicate.
 */
export async function redrive(connection: NatsConnection, manager: JetStreamManager, seq: number): Promise<void> {
  const letter = await loadDeadLetter(manager, seq)
  if (!letter.kept)
    throw new AlprError('ALPR_ERR_NOT_FOUND', {
      what: `the payload of dead letter ${seq}, of which only the headers were kept,`,
    })
  const headers = newHeaders()
  for (const [name, value] of Object.entries(letter.headers)) headers.set(name, value)
  headers.set(HEADER.msgId, `redrive-${letter.seq}-${letter.sequence}`)
  const subject = rootOf(letter.subject) === ENTRANCE.detections.root ? detectionsSubject : framesSubject
  await connection.jetstream().publish(subject(letter.camera), letter.payload, { headers, timeout: 10_000 })
  await drop(manager, letter.seq)
}

/** Deletes a dead letter permanently. */
export async function drop(manager: JetStreamManager, seq: number): Promise<void> {
  await manager.streams.deleteMessage(STREAM.dead, seq, false)
}

/**
 * A direct get returns the payload as it is; the stream's own API encodes it in base64, which makes a large frame
 * larger than the server's largest message. The client has direct gets, but its types omit them.
 */
const direct = (manager: JetStreamManager): DirectGet => (manager as JetStreamManager & { direct: DirectGet }).direct

interface DirectGet {
  getMessage(stream: string, query: { seq: number; next_by_subj?: string }): Promise<StoredMsg>
}

function toLetter(message: StoredMsg): DeadLetter & { payload: Uint8Array } {
  const header = (name: string) => message.header?.get(name) ?? ''
  const headers: Record<string, string> = {}
  for (const [name, values] of message.header ?? []) {
    if (!name.startsWith('Nats-') && !DEAD_HEADERS.includes(name)) headers[name] = values.at(-1) ?? ''
  }
  return {
    seq: message.seq,
    camera: message.subject.split('.')[1] ?? '',
    reason: header(HEADER.deadReason),
    message: header(HEADER.deadMessage),
    subject: header(HEADER.deadSubject),
    sequence: Number(header(HEADER.deadSequence)) || 0,
    at: header(HEADER.deadAt),
    headers,
    bytes: message.data.length || Number(header(HEADER.deadBytes)) || 0,
    kept: header(HEADER.deadBytes) === '',
    payload: message.data,
  }
}

function noneLeft(error: unknown): undefined {
  const { code, api_error: api } = error as { code?: string; api_error?: { code: number } }
  if (code === '404' || api?.code === 404) return undefined
  throw error
}
