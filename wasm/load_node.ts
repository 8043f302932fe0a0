import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** The files of a build, beside this module in dist/wasm (Node only). */
export type WasmFile = 'recognizer.wasm' | 'matcher.wasm' | 'platestream.psm'

export function wasmPath(file: WasmFile): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

export async function loadWasmFile(file: WasmFile): Promise<Uint8Array> {
  return new Uint8Array(await readFile(wasmPath(file)))
}
