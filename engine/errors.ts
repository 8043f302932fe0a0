import { PICTURE_ERRORS, WASM_ERRORS, WasmError, type WasmErrorCode } from '../wasm/mod.js'

/**
 * The one table of error codes. A code is never reused or renamed; `docs/errors.md` lists the same codes (a test
 * compares them). Each entry: message template (`{name}` is filled from the details), HTTP status when a route answers
 * with it.
 */
const TABLE = {
  // frames: the reasons on stream DEAD, together with those of pictures (PICTURE_ERRORS)
  ALPR_ERR_FRAME_TIMEOUT: ['recognition took longer than {limit} ms', 422],
  ALPR_ERR_FRAME_CRASHED: ['recognition crashed on this frame: {reason}', 422],
  ALPR_ERR_FRAME_TIME_MISSING: ['Captured-At is missing', 422],
  ALPR_ERR_FRAME_TIME_INVALID: ['Captured-At "{value}" is not an RFC 3339 UTC time', 422],
  ALPR_ERR_FRAME_TIME_ABSURD: ['Captured-At {value} is before {limit}', 422],
  ALPR_ERR_FRAME_TIME_FUTURE: ['Captured-At {value} is more than {limit} s ahead of its arrival', 422],
  ALPR_ERR_FRAME_HEADER_INVALID: ['header {header} "{value}" is not {expected}', 422],
  ALPR_ERR_FRAME_POSITION_MISSING: ['camera {camera} is not fixed and its message has no position', 422],
  ALPR_ERR_DETECTION_INVALID: ['the detection is not valid: {reason}', 422],
  ALPR_ERR_CAMERA_UNKNOWN: ['camera {camera} is not in the registry', 404],
  ALPR_ERR_CAMERA_BEHIND: [
    'camera {camera} sends more than is read of it: {waiting} MB of its frames wait, and its partition has no room ' +
      'for more than {limit}; send fewer or smaller frames, or raise engine.workers',
    422,
  ],
  ALPR_ERR_CAMERA_INVALID: ['camera {camera}: {reason}', 422],
  // images outside the stream
  ALPR_ERR_IMAGE_UNREADABLE: ['{file} cannot be read as a picture: {reason}', 422],
  // hot lists
  ALPR_ERR_HOTLIST_INVALID: ['hot list {list}: {reason}', 422],
  ALPR_ERR_HOTLIST_SHRINKS: [
    'hot list {list} is not replaced: {reason}. Check the file; --accept replaces the list all the same',
    409,
  ],
  ALPR_ERR_HOTLIST_UNKNOWN: ['there is no hot list {list}', 404],
  // searches and standing partials
  ALPR_ERR_SEARCHES_FULL: ['{limit} searches are already waiting, try again shortly', 503],
  ALPR_ERR_SEARCH_TOO_COSTLY: ['the pattern costs too much ({reason}): make it more specific', 422],
  ALPR_ERR_SEARCHES_CLOSED: ['the search ended without an answer: this process is closing', 503],
  ALPR_ERR_PARTIAL_INVALID: ['standing partial {partial}: {reason}', 422],
  ALPR_ERR_PARTIAL_UNKNOWN: ['there is no standing partial {partial}', 404],
  ALPR_ERR_PLATES_FILE_INVALID: ['{file}: {reason}', 422],
  // settings and usage
  ALPR_ERR_SETTINGS_INVALID: ['setting {key}: {reason}', 500],
  ALPR_ERR_USAGE: ['{reason}', 400],
  // feeds
  ALPR_ERR_FEED_INVALID: ['{file}: {reason}', 422],
  // servers
  ALPR_ERR_NATS_UNAVAILABLE: ['NATS at {url} cannot be reached: {reason}', 503],
  ALPR_ERR_STORE_UNAVAILABLE: ['ClickHouse at {url} cannot be reached: {reason}', 503],
  ALPR_ERR_STORE_LOCKED: ['the data folder {folder} is in use by another store process', 503],
  ALPR_ERR_SCHEMA_NEWER: [
    'the store has schema {found}, this program knows {known}: a newer program has upgraded it',
    503,
  ],
  ALPR_ERR_STORE_FORM: ['the tables of {database} do not fit the setting clickhouse.cluster: {reason}', 503],
  ALPR_ERR_ROW_INVALID: ['{field} cannot be stored: {reason}', 422],
  ALPR_ERR_STATE_FENCED: ['partition {partition} was taken over by another engine', 503],
  ALPR_ERR_INSTANCE_TAKEN: [
    'an engine named {instance} is already running ({holder}): give this one another name, ' +
      'with --instance or the setting engine.instance',
    503,
  ],
  ALPR_ERR_INGEST_TAKEN: [
    'an ingest process named {instance} is already running ({holder}): give this one another name, ' +
      'with --instance or the setting ingest.instance',
    503,
  ],
  ALPR_ERR_SYSTEM_MISSING: ['{what} is missing on this machine; {remedy}', 500],
  ALPR_ERR_BACKUP_FAILED: ['{what}: {reason}', 500],
  // cameras that push
  ALPR_ERR_PUSH_REFUSED: ['this address with these credentials belongs to no camera that may push here', 401],
  ALPR_ERR_PUSH_INVALID: ['the request is no {kind} message: {reason}', 422],
  ALPR_ERR_PUSH_TIME_INVALID: ['the time "{value}" in {field} cannot be used: {reason}', 422],
  ALPR_ERR_PUSH_TOO_LARGE: [
    '{what} has {value} bytes, the limit is {limit}: lower the size or quality in the camera',
    413,
  ],
  ALPR_ERR_PUSH_BUSY: ['{limit} bytes of requests are in work, which is the limit: send it again shortly', 503],
  ALPR_ERR_PUSH_NOT_STORED: ['the stream does not take the message now ({reason}): send it again', 503],
  // requests to the gateway
  ALPR_ERR_AUTH_REQUIRED: ['sign in first: open the address printed at the start', 401],
  ALPR_ERR_ORIGIN_REFUSED: [
    'the page is of {origin}, and the request came to host "{host}": open the page at the address of the gateway; ' +
      'behind a proxy, set gateway.publicUrl to the address that browsers use',
    403,
  ],
  ALPR_ERR_REQUEST_INVALID: ['{reason}', 400],
  ALPR_ERR_PARTITIONS_DIFFER: [
    'nats.partitions is {wanted}, but this installation has {stored} partitions: remove the setting, or change the ' +
      'number on the running system with "platestream partitions set {wanted}"',
    500,
  ],
  ALPR_ERR_PARTITIONS_CHANGING: [
    'the number of partitions is still changing from {from} to {to}; "platestream partitions show" says how far it is',
    409,
  ],
  ALPR_ERR_NATS_TOO_OLD: [
    'nats-server {version} cannot keep {replicas} copies without loss: use 2.10 or newer, or nats.replicas 1',
    500,
  ],
  ALPR_ERR_STREAM_CHANGED: ['stream {stream} {reason}; its partition starts again from its checkpoint', 503],
  ALPR_ERR_NOT_FOUND: ['{what} was not found', 404],
  ALPR_ERR_CROP_CORRUPT: ['the crop at {segment}:{offset} does not match its checksum', 500],
  ALPR_ERR_CROP_UNWRITABLE: ['crops cannot be written to {segment}: {reason}', 503],
  ALPR_ERR_CONSOLE_STALLED: ['this console made no progress for {limit} s; reconnect with since={since}', 408],
  ALPR_ERR_CONSOLES_FULL: ['{limit} consoles are open, which is the limit', 503],
  // questions about stored reads
  ALPR_ERR_AREA_INVALID: ['the area is not valid: {reason}', 422],
  ALPR_ERR_WINDOW_INVALID: ['the time is not valid: {reason}', 422],
  ALPR_ERR_CURSOR_FOREIGN: ['the cursor belongs to another question', 400],
  ALPR_ERR_QUESTION_TOO_LARGE: [
    'the question is too large ({reason}): ask for a smaller area, a shorter time or fewer rows',
    422,
  ],
  ALPR_ERR_QUESTION_GIVEN_UP: ['the question was abandoned before it was answered', 408],
  ALPR_ERR_SCOPE_RESTRICTED: ['{what} needs access to all cameras and lists', 403],
  ALPR_ERR_SCOPE_TOO_LARGE: ['the access has {count} cameras or lists; the limit is {limit}', 500],
  ALPR_ERR_RECORD_ON_HOLD: ['{what} is under legal hold: {reason}', 423],
  ALPR_ERR_RETENTION_BELOW_MINIMUM: ['the week of {week} must be kept: reads are kept for at least {limit} days', 409],
  ALPR_ERR_PURGE_UNPROVEN: ['week {week} was not purged: {reason}', 409],
  ALPR_ERR_INTERNAL: ['internal error', 500],
} as const satisfies Record<string, readonly [string, number]>

/**
 * The codes of wasm/ are part of the table: an invalid picture or pattern is the sender's error (422), anything else in
 * there is internal (500).
 */
export type ErrorCode = keyof typeof TABLE | WasmErrorCode
export type ErrorDetails = Record<string, string | number | boolean | undefined>

function entryOf(code: ErrorCode): readonly [message: string, status: number] {
  return code in TABLE
    ? TABLE[code as keyof typeof TABLE]
    : [
        WASM_ERRORS[code as WasmErrorCode],
        code in PICTURE_ERRORS || /^ALPR_ERR_(PATTERN|SEARCH)_/.test(code) ? 422 : 500,
      ]
}

export const ERROR_CODES = [...Object.keys(TABLE), ...Object.keys(WASM_ERRORS)] as ErrorCode[]

/** The whole table, for the documentation and its test. */
export function errorTable(): { code: ErrorCode; message: string; status: number }[] {
  return ERROR_CODES.map((code) => ({ code, message: entryOf(code)[0], status: entryOf(code)[1] }))
}

/** A known error: a code from the table, a message for people, and the values that broke the limit. */
export class AlprError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly details: ErrorDetails

  constructor(code: ErrorCode, details: ErrorDetails = {}, options?: ErrorOptions) {
    const [template, status] = entryOf(code)
    super(
      template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '?')),
      options,
    )
    this.name = 'AlprError'
    this.code = code
    this.status = status
    this.details = details
  }

  toJSON(): { code: ErrorCode; message: string; details: ErrorDetails } {
    return { code: this.code, message: this.message, details: this.details }
  }
}

/** The error's own code, or ALPR_ERR_INTERNAL for a foreign error. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof AlprError || error instanceof WasmError ? error.code : 'ALPR_ERR_INTERNAL'
}

/** One line for a person who asked; never a stack trace. For a log: `logReasonOf`. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.slice(0, 300)
}

/**
 * One line for a log. The text of a foreign error may quote what it failed at, a plate among it, so its class and code
 * stand for it; an error of our own without a foreign cause keeps its words.
 */
export function logReasonOf(error: unknown): string {
  const isOwn = error instanceof AlprError || error instanceof WasmError
  if (!isOwn) return classOf(error)
  const { cause } = error
  if (cause === undefined) return reasonOf(error)
  return `${error.code} (${logReasonOf(cause)})`
}

/** Class of an error with its code, where it has one: `Error ECONNREFUSED`, `ClickHouseError UNKNOWN_TABLE 60`. */
function classOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code, type } = error as { code?: unknown; type?: unknown }
  const words = [error.constructor.name, type, code].filter((one) => /^\w{1,60}$/.test(String(one ?? '')))
  return words.join(' ')
}

/** The fields of an error in a log: class and code, and the places of its stack without its text. */
export function logErrorOf(error: unknown): { type: string; reason: string; stack?: string } {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const places = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return {
    type: error instanceof Error ? error.constructor.name : typeof error,
    reason: logReasonOf(error),
    ...(places.length > 0 && { stack: places.join('\n') }),
  }
}
