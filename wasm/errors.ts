/** Errors of a picture that cannot be decoded, from a stream or a file. */
export const PICTURE_ERRORS = {
  ALPR_ERR_FRAME_EMPTY: 'the frame has no payload',
  ALPR_ERR_FRAME_TOO_LARGE: 'the frame is too large: {what} is {value}, the limit is {limit}',
  ALPR_ERR_FRAME_TOO_SMALL: 'the frame is too small: {width}x{height}, at least {limit} pixels a side are needed',
  ALPR_ERR_FRAME_NOT_JPEG: 'the payload is not a JPEG: it is {what}; send each frame as a JPEG',
  ALPR_ERR_FRAME_TRUNCATED: 'the JPEG ends too early: {reason}',
  ALPR_ERR_FRAME_CORRUPT: 'the picture does not decode: {reason}',
  ALPR_ERR_PICTURE_UNSUPPORTED: 'this is {what}, which is not read here: {remedy}',
} as const

/**
 * Errors of the recognizer and the matcher as libraries. A code is never reused. engine/errors.ts has the engine's own
 * codes.
 */
export const WASM_ERRORS = {
  ...PICTURE_ERRORS,
  ALPR_ERR_MODULE_INVALID: 'not the required WASM module: {reason}',
  ALPR_ERR_MODULE_ABI: 'the WASM module has ABI version {found}, this program requires {needed}',
  ALPR_ERR_MODEL_INVALID: 'the model file is not valid: {reason}',
  ALPR_ERR_MODEL_MEMORY: 'the model exceeds the memory limit of the module',
  ALPR_ERR_IMAGE_SIZE: 'an image of {width}x{height} pixels is not supported, sides must be {least} to {most} pixels',
  ALPR_ERR_IMAGE_MEMORY: 'an image of {width}x{height} pixels exceeds the memory limit of the module',
  ALPR_ERR_LIST_MEMORY: 'a list of {entries} entries exceeds the memory limit of the module',
  ALPR_ERR_LIST_RELEASED: 'the list has been released',
  ALPR_ERR_CONFUSIONS_INVALID: 'the confusion model is not valid: {reason}',
  ALPR_ERR_SYNTAX_INVALID: 'the plate syntax is not valid: {reason}',
  ALPR_ERR_DICTIONARY_MEMORY: 'a dictionary of {plates} plates exceeds the memory limit of the module',
  ALPR_ERR_SEARCH_INVALID: 'the search is not valid: {reason}',
  ALPR_ERR_ROWS_INVALID: 'the rows of plates cannot be parsed: {reason}',
  ALPR_ERR_PATTERN_EMPTY: 'the pattern is empty',
  ALPR_ERR_PATTERN_TOO_LONG: 'the pattern is too long: it has {length} {unit}, the limit is {limit}',
  ALPR_ERR_PATTERN_INVALID: 'the pattern is invalid at character {position}: {reason}',
  ALPR_ERR_READ_INVALID: 'the positions are not a read: {reason}',
} as const

export type WasmErrorCode = keyof typeof WASM_ERRORS

export const WASM_ERROR_CODES = Object.keys(WASM_ERRORS) as WasmErrorCode[]

/** An error of wasm/: a code from the table and the values that caused it. */
export class WasmError extends Error {
  constructor(
    readonly code: WasmErrorCode,
    readonly details: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(
      WASM_ERRORS[code].replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? '?')),
      options,
    )
    this.name = 'WasmError'
  }
}
