/**
 * An exception in the form of ClickHouse's HTTP interface: `Code: 60. DB::Exception: <message>. (UNKNOWN_TABLE)`, the
 * number in `X-ClickHouse-Exception-Code`, and a matching status. Clients parse exactly this text.
 */
export class StoreException extends Error {
  constructor(
    readonly code: number,
    readonly type: string,
    message: string,
    readonly status: number = statusOf(code),
  ) {
    super(message)
  }

  /**
   * The body of the response. Clients take the first parenthesised word in capitals for the type, so the message must
   * not contain one (the engine's syntax errors quote the word at which parsing failed in this way).
   * @param version of the engine
   */
  text(version: string): string {
    const message = this.message.replace(/\(([A-Z0-9_]+)\)/g, "('$1')").replace(/\.?\s*$/, '.')
    return `Code: ${this.code}. DB::Exception: ${message} (${this.type}) (version ${version})\n`
  }
}

export const badRequest = (message: string) => new StoreException(36, 'BAD_ARGUMENTS', message)
export const notImplemented = (what: string) =>
  new StoreException(48, 'NOT_IMPLEMENTED', `${what} is not supported by the embedded store`)
export const tooBusy = (limit: number) =>
  new StoreException(
    202,
    'TOO_MANY_SIMULTANEOUS_QUERIES',
    `Too many simultaneous queries: ${limit} are already waiting`,
  )
export const gone = () => new StoreException(394, 'QUERY_WAS_CANCELLED', 'The client has disconnected')
export const shuttingDown = () => new StoreException(236, 'ABORTED', 'The store is shutting down', 503)
export const tooLarge = (what: string, limit: number) =>
  new StoreException(307, 'TOO_MANY_BYTES', `${what} is larger than ${limit} bytes`, 413)
export const noSpace = (where: string) => new StoreException(243, 'NOT_ENOUGH_SPACE', `No space left for ${where}`, 503)

const STATUS: Record<number, number> = {
  46: 404,
  47: 404,
  60: 404,
  81: 404,
  456: 400, // unknown function, identifier, table, database
  48: 501,
  164: 403,
  516: 403,
  497: 403,
  307: 413,
  159: 408,
  202: 503,
  241: 503,
  243: 503,
  252: 503,
  242: 503,
}

/** Parse errors, wrong types and wrong arguments: the caller's fault. */
const BAD = new Set([
  6, 8, 10, 15, 16, 20, 25, 26, 27, 33, 34, 35, 36, 38, 41, 42, 43, 44, 53, 57, 62, 69, 70, 72, 73, 82, 115, 117, 130,
  131, 158, 386, 396, 457, 467,
])

function statusOf(code: number): number {
  return STATUS[code] ?? (BAD.has(code) ? 400 : 500)
}

const SHAPE = /^Code: (\d+)\. (?:DB::)?(?:\w+::)*\w*Exception: ([\s\S]*)$/

/** The engine's error as an exception; anything else becomes code 1002 (UNKNOWN_EXCEPTION) without its stack. */
export function exceptionOf(error: unknown): StoreException {
  if (error instanceof StoreException) return error
  const message = error instanceof Error ? error.message : String(error)
  const match = SHAPE.exec(message.trim())
  if (!match) return new StoreException(1002, 'UNKNOWN_EXCEPTION', message.slice(0, 2_000) || 'unknown error')
  const code = Number(match[1])
  // A full disk shows as 'cannot write to file' or as a filesystem error; either way the client may retry later.
  if (/No space left on device/.test(match[2]!)) return noSpace('the data folder')
  const text = stripTail(match[2]!)
  return new StoreException(code, typeOf(match[2]!), code === TOO_MANY_ROWS_OR_BYTES ? `${text}. ${SMALLER}` : text)
}

const TOO_MANY_ROWS_OR_BYTES = 396
const SMALLER = 'Consider limiting the amount of requested rows, or stream the result (wait_end_of_query=0)'

/** `... (UNKNOWN_TABLE)` or `... (UNKNOWN_TABLE) (version 26.7)`: the last group in capitals. */
function typeOf(text: string): string {
  const all = [...text.matchAll(/\(([A-Z][A-Z0-9_]{2,})\)/g)]
  return all.at(-1)?.[1] ?? 'UNKNOWN_EXCEPTION'
}

/** Removes the trailing groups, which `text` appends again, and the first nested `Code: n. DB::Exception:`. */
function stripTail(text: string): string {
  return text
    .replace(/^Code: \d+\. (?:DB::)?\w*Exception: /, '')
    .replace(/\s*(?:\((?:[A-Z][A-Z0-9_]{2,}|version [^()]*(?:\([^()]*\))?)\)\.?\s*)+$/, '')
    .slice(0, 8_000)
}
