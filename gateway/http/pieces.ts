import { Readable } from 'node:stream'
import { AlprError } from '../../engine/runtime/mod.js'

/** How long a reader may take nothing of a stream, milliseconds. */
const PATIENCE_MS = 120_000

/**
 * Waits for the first pieces, which decide the status. A later error cuts the connection, so that a client never takes
 * part of an answer for the whole. The stream ends `pieces` whenever it is destroyed, even before its first read: an
 * access must end. A reader that takes nothing for `patienceMs` has left, too.
 * @throws ALPR_ERR_QUESTION_GIVEN_UP when the client has gone
 */
export async function started(
  pieces: AsyncGenerator<string>,
  count: number,
  gone: AbortSignal,
  patienceMs = PATIENCE_MS,
): Promise<Readable> {
  const first: IteratorResult<string>[] = []
  for (let i = 0; i < count; i++) first.push(await pieces.next())
  let untaken: NodeJS.Timeout | undefined
  const rest: AsyncIterableIterator<string> = {
    next: async () => {
      clearTimeout(untaken)
      const piece = first.shift() ?? (await pieces.next())
      if (!piece.done) untaken = setTimeout(() => stream.destroy(), patienceMs)
      return piece
    },
    return: (value) => {
      clearTimeout(untaken)
      return pieces.return(value)
    },
    [Symbol.asyncIterator]: () => rest,
  }
  const stream = Readable.from(rest, { objectMode: false })
  if (gone.aborted) {
    await pieces.return(undefined)
    throw new AlprError('ALPR_ERR_QUESTION_GIVEN_UP')
  }
  gone.addEventListener('abort', () => stream.destroy(), { once: true })
  return stream
}
