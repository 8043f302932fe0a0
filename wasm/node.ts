/**
 * The recognizer as a library for Node: `platestream/recognizer` (docs/recognizer.md). browser.ts exports the same
 * names.
 */
import { readFile } from 'node:fs/promises'
import { openWith, type OpenOptions } from './recognizer/open.js'
import type { Recognizer } from './recognizer/recognizer.js'

export * from './library.js'
export { decodePicture } from './picture/decode_node.js'

/**
 * Reads the module and the model and opens the recognizer; about 0.2 s. Strings are paths.
 * @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI, ALPR_ERR_MODEL_INVALID, ALPR_ERR_MODEL_MEMORY; errors of
 * the file system unchanged
 */
export async function openRecognizer(options: OpenOptions = {}): Promise<Recognizer> {
  return openWith(async (source) => new Uint8Array(await readFile(source)), import.meta.url, options)
}
