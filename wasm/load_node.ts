import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Matcher } from './matcher/matcher.js'
import { ConfusionModel } from './matcher/confusion_model.js'
import { PlateSyntax } from './matcher/plate_syntax.js'

/** The door to what works in Node only. */
export { decodePicture } from './picture/decode_node.js'
export { decodeJpegNatively } from './picture/jpeg_native.js'
export { mendJpeg } from './picture/mend_jpeg.js'

/** The files of a build, beside this module in dist/wasm. */
export type WasmFile =
  | 'recognizer.wasm'
  | 'matcher.wasm'
  | 'shrink.wasm'
  | 'platestream.psm'
  | 'confusions.json'
  | 'plate_syntax.json'

export function wasmPath(file: WasmFile): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

export async function loadWasmFile(file: WasmFile): Promise<Uint8Array> {
  return new Uint8Array(await readFile(wasmPath(file)))
}

const loadJson = async (file: WasmFile): Promise<unknown> => JSON.parse(await readFile(wasmPath(file), 'utf8'))

/** The matcher of this build, with its confusion model and its plate syntax. */
export async function loadMatcher(): Promise<Matcher> {
  const [wasm, confusions, syntax] = await Promise.all([
    loadWasmFile('matcher.wasm'),
    loadJson('confusions.json'),
    loadJson('plate_syntax.json'),
  ])
  return Matcher.create(wasm, ConfusionModel.of(confusions), PlateSyntax.of(syntax))
}
