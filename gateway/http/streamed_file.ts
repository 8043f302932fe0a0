import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { AlprError } from '../../engine/runtime/mod.js'

/** How long a reader may take nothing of a stream, milliseconds. */
const PATIENCE_MS = 120_000

/** Aborts when the client disconnects before it has the whole response. */
export function goneOf(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  if (request.destroyed) gone.abort()
  return gone.signal
}

/**
 * Waits for the first pieces, which decide the status. A later error cuts the connection, so that a client never takes
 * part of an answer for the whole. The stream ends `pieces` whenever it is destroyed, even before its first read: an
 * access must end. A reader that takes nothing for `patienceMs` has left, too.
 * @param onEnd receives what `pieces` returns
 * @throws ALPR_ERR_QUESTION_GIVEN_UP when the client has gone
 */
export async function started<End>(
  pieces: AsyncGenerator<string, End>,
  count: number,
  gone: AbortSignal,
  onEnd: (end: End) => void = () => {},
  patienceMs = PATIENCE_MS,
): Promise<Readable> {
  const next = async (): Promise<IteratorResult<string, End | undefined>> => {
    const piece = await pieces.next()
    if (piece.done && piece.value !== undefined) onEnd(piece.value)
    return piece
  }
  const first: IteratorResult<string, End | undefined>[] = []
  for (let i = 0; i < count; i++) first.push(await next())
  let untaken: NodeJS.Timeout | undefined
  const rest: AsyncIterableIterator<string, End | undefined> = {
    next: async () => {
      clearTimeout(untaken)
      const piece = first.shift() ?? (await next())
      if (!piece.done) untaken = setTimeout(() => stream.destroy(), patienceMs)
      return piece
    },
    return: async () => {
      clearTimeout(untaken)
      return pieces.return(undefined as End)
    },
    [Symbol.asyncIterator]: () => rest,
  }
  const stream = Readable.from(rest, { objectMode: false })
  if (gone.aborted) {
    await pieces.return(undefined as End)
    throw new AlprError('ALPR_ERR_QUESTION_GIVEN_UP')
  }
  gone.addEventListener('abort', () => stream.destroy(), { once: true })
  return stream
}
