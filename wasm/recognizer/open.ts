import type { WasmErrorCode } from '../errors.js'
import { Recognizer, type RecognizerOptions } from './recognizer.js'

/** A file of the library: its bytes, a URL, or a path (Node) or address (page). */
export type Source = Uint8Array | URL | string

export interface OpenOptions extends RecognizerOptions {
  /** @default recognizer.wasm beside this library */
  module?: Source
  /** @default platestream.psm beside this library */
  model?: Source
}

/** Reads a file; `invalid` is the error code for a missing one. */
export type Read = (source: URL | string, invalid: WasmErrorCode) => Promise<Uint8Array>

/**
 * Opens the recognizer with its module and model.
 * @param read how files are read here
 * @param beside address of the library itself, where the files lie by default
 */
export async function openWith(read: Read, beside: string, options: OpenOptions): Promise<Recognizer> {
  const bytes = async (source: Source, invalid: WasmErrorCode) =>
    source instanceof Uint8Array ? source : read(source, invalid)
  const { module = new URL('recognizer.wasm', beside), model = new URL('platestream.psm', beside), ...rest } = options
  const [wasm, psm] = await Promise.all([
    bytes(module, 'ALPR_ERR_MODULE_INVALID'),
    bytes(model, 'ALPR_ERR_MODEL_INVALID'),
  ])
  return Recognizer.create(wasm, psm, rest)
}
