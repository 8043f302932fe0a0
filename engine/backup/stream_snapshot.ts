import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { createInbox, type Msg, type NatsConnection, type StreamConfig, type StreamState } from 'nats'
import { AlprError } from '../errors.js'

/** What restores a stream, together with the bytes of its snapshot. */
export interface StreamSnapshot {
  name: string
  config: StreamConfig
  state: StreamState
  /** SHA-256 of the file, hex. */
  sha256: string
  bytes: number
}

/** Bytes of one piece; the server waits for acknowledgements before it sends more. */
const CHUNK_BYTES = 131_072
/** How long the server may take for one piece, ms. */
const PIECE_MS = 60_000

/**
 * Writes a server-made snapshot of a stream to a file. The stream keeps running; the snapshot shows it at one moment.
 * It does not include consumers: engines and gateways create theirs again.
 *
 *     client                                   server
 *      │  $JS.API.STREAM.SNAPSHOT.<stream>  ──►  │
 *      │ ◄──────────────  config, state          │
 *      │ ◄── piece, piece ... (with reply: wait) │
 *      │ ◄── empty piece: the end, or an error   │
 *
 * @throws ALPR_ERR_BACKUP_FAILED
 */
export async function snapshotStream(connection: NatsConnection, name: string, file: string): Promise<StreamSnapshot> {
  const failed = (reason: string) => new AlprError('ALPR_ERR_BACKUP_FAILED', { what: `stream ${name}`, reason })
  const inbox = createInbox()
  const pieces = connection.subscribe(inbox)
  const out = createWriteStream(file, { mode: 0o600 })
  const hash = createHash('sha256')
  let bytes = 0
  const timer = { last: performance.now() }
  const watch = setInterval(() => {
    if (performance.now() - timer.last > PIECE_MS) pieces.unsubscribe()
  }, 1_000)
  try {
    const answer = await connection.request(
      `$JS.API.STREAM.SNAPSHOT.${name}`,
      JSON.stringify({ deliver_subject: inbox, no_consumers: true, chunk_size: CHUNK_BYTES }),
      { timeout: PIECE_MS },
    )
    const { config, state, error } = answer.json<{
      config: StreamConfig
      state: StreamState
      error?: { description: string }
    }>()
    if (error) throw failed(error.description)
    for await (const piece of pieces as AsyncIterable<Msg>) {
      timer.last = performance.now()
      if (piece.data.length === 0) {
        // The last message of an incomplete snapshot carries the error.
        if (piece.headers?.hasError) throw failed(piece.headers.description)
        out.end()
        await once(out, 'finish')
        return { name, config, state, sha256: hash.digest('hex'), bytes }
      }
      hash.update(piece.data)
      bytes += piece.data.length
      if (!out.write(piece.data)) await once(out, 'drain')
      piece.respond()
    }
    throw failed('the server stopped sending')
  } finally {
    clearInterval(watch)
    pieces.unsubscribe()
    out.destroy()
  }
}

/**
 * Restores a stream from its snapshot, with its sequences, times and creation time, from which ids of reads derive.
 * @throws ALPR_ERR_BACKUP_FAILED when the stream exists, or when the file differs from the one that was written
 */
export async function restoreStream(connection: NatsConnection, snapshot: StreamSnapshot, file: string): Promise<void> {
  const { name, config, state, sha256 } = snapshot
  const failed = (reason: string) => new AlprError('ALPR_ERR_BACKUP_FAILED', { what: `stream ${name}`, reason })
  const request = async (
    subject: string,
    payload: Uint8Array | string,
  ): Promise<{ deliver_subject?: string; error?: { description: string } } | undefined> => {
    const answer = await connection.request(subject, payload, { timeout: PIECE_MS })
    return answer.data.length === 0 ? undefined : answer.json()
  }
  const begun = await request(`$JS.API.STREAM.RESTORE.${name}`, JSON.stringify({ config, state }))
  if (!begun?.deliver_subject) throw failed(begun?.error?.description ?? 'the server refuses the restore')
  const hash = createHash('sha256')
  for await (const piece of createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>) {
    hash.update(piece)
    const answer = await request(begun.deliver_subject, piece)
    if (answer?.error) throw failed(answer.error.description)
  }
  if (hash.digest('hex') !== sha256) throw failed(`${file} differs from the file that was written`)
  const ended = await request(begun.deliver_subject, '')
  if (ended?.error) throw failed(ended.error.description)
}
