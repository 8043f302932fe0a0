import { instantiate, type ASUtil } from '@assemblyscript/loader'
import { WasmError } from '../errors.js'
import { ABI_VERSION } from './layout.js'

/**
 * The calls of recognizer.wasm, documented in wasm/assembly/recognizer/recognizer.ts. Addresses are offsets into
 * `memory`.
 */
export interface RecognizerExports extends Record<string, unknown> {
  readonly memory: { readonly buffer: ArrayBuffer }
  abiVersion(): number
  describe(): number
  stageBlob(bytes: number): number
  addNet(blob: number): number
  configure(
    coarseFloor: number,
    candidates: number,
    coarseShare: number,
    crowdFloor: number,
    fineZoom: number,
    fineFloor: number,
    beam: number,
    readFloor: number,
    readSure: number,
    readHopeless: number,
    twoLineBelow: number,
    closeUpBelow: number,
    calibA: number,
    calibB: number,
  ): void
  margin(value: number): void
  syntax(weight: number, other: number): void
  shape(bits: number, log: number): void
  regions(count: number, floor: number, scale: number, syntaxPart: number, letterWeight: number): void
  regionShape(bits: number, region: number, share: number): void
  regionLetter(letter: number, region: number, ratio: number): void
  sealModel(): number
  warmUp(): void
  prepare(width: number, height: number): number
  lumaAddress(): number
  findBoxes(): number
  sureBoxes(): number
  lookAgain(): void
  lookAtFrameItself(): void
  lookAt(box: number): number
  settle(): number
  readAt(plate: number): number
  finish(): number
  recordAt(index: number): number
}

/**
 * Instantiates a module and checks its ABI version.
 * @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI
 */
export async function loadRecognizer(wasm: Uint8Array): Promise<RecognizerExports & ASUtil> {
  let exports: RecognizerExports & ASUtil
  try {
    exports = (await instantiate<RecognizerExports>(wasm as Uint8Array<ArrayBuffer>, {})).exports as RecognizerExports &
      ASUtil
  } catch (error) {
    throw new WasmError('ALPR_ERR_MODULE_INVALID', { reason: error instanceof Error ? error.message : String(error) })
  }
  if (typeof exports.abiVersion !== 'function' || typeof exports.findBoxes !== 'function') {
    throw new WasmError('ALPR_ERR_MODULE_INVALID', { reason: 'it is not the recognizer' })
  }
  const found = exports.abiVersion()
  if (found !== ABI_VERSION) throw new WasmError('ALPR_ERR_MODULE_ABI', { found, needed: ABI_VERSION })
  return exports
}
