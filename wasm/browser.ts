/**
 * The recognizer as a library for pages and workers (docs/recognizer.md): one file after the build. node.ts exports the
 * same names.
 */
import { WasmError, type WasmErrorCode } from './errors.js'
import { openWith, type OpenOptions } from './recognizer/open.js'
import type { Recognizer } from './recognizer/recognizer.js'

export * from './library.js'
export { decodePicture } from './picture/decode_browser.js'

/**
 * Fetches the module and the model and opens the recognizer; needs a secure context (https, or localhost). Strings are
 * addresses.
 * @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI, ALPR_ERR_MODEL_INVALID, ALPR_ERR_MODEL_MEMORY
 */
export async function openRecognizer(options: OpenOptions = {}): Promise<Recognizer> {
  return openWith(fetchBytes, import.meta.url, options)
}

async function fetchBytes(source: URL | string, invalid: WasmErrorCode): Promise<Uint8Array> {
  const response = await fetch(source).catch((error: Error) => {
    throw new WasmError(invalid, { reason: `${source} cannot be fetched: ${error.message}` })
  })
  if (!response.ok) throw new WasmError(invalid, { reason: `${source} returns status ${response.status}` })
  return new Uint8Array(await response.arrayBuffer())
}
