/**
 * The recognizer as a library for pages and workers (docs/recognizer.md): one file after the build, with the names of
 * node.ts.
 */
import { WasmError, type WasmErrorCode } from './errors.js'
import { openWith, type OpenOptions } from './recognizer/open.js'
import type { Recognizer } from './recognizer/recognizer.js'

export * from './library.js'
export { decodePicture } from './picture/decode_browser.js'

/**
 * Fetches module and model and gets ready; needs a secure context (https, or localhost). Strings are addresses.
 * @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI, ALPR_ERR_MODEL_INVALID, ALPR_ERR_MODEL_MEMORY
 */
export async function openRecognizer(options: OpenOptions = {}): Promise<Recognizer> {
  return openWith(fetchBytes, import.meta.url, options)
}

async function fetchBytes(source: URL | string, invalid: WasmErrorCode): Promise<Uint8Array> {
  const answer = await fetch(source).catch((error: Error) => {
    throw new WasmError(invalid, { reason: `${source} cannot be fetched: ${error.message}` })
  })
  if (!answer.ok) throw new WasmError(invalid, { reason: `${source} answers ${answer.status}` })
  return new Uint8Array(await answer.arrayBuffer())
}
