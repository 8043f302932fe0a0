import type { ASUtil } from '@assemblyscript/loader'
import { CHARACTERS } from '../classes.js'
import type { Detection, Timings } from './detection.js'
import { WasmError } from '../errors.js'
import { parseModel, type Cascade, type Model } from './model_file.js'
import { inDamagedPicture } from './damaged.js'
import { idOf } from '../module_id.js'
import { loadRecognizer, type RecognizerExports } from './recognizer_exports.js'
import { MAX_SIDE, MIN_SIDE, OK, REFUSED_MEMORY, REFUSED_SIZE } from './layout.js'
import { readRecord } from './record.js'

export interface RecognizerOptions {
  /**
   * Runs of all nets before the first frame, so that V8 has optimised the kernels; about 5 ms each.
   * @default 12
   */
  warmUps?: number
  /** Constants that replace those of the model, for measurements. */
  cascade?: Partial<Cascade>
}

/**
 * Finds and reads plates in one frame at a time. Runs wherever WebAssembly SIMD is available (Node 20, browsers); one
 * instance belongs to one thread. The same module, model and luma give the same detections, bit for bit, on any
 * machine.
 *
 *     const luma = recognizer.lumaBuffer(width, height)   // write the picture here ...
 *     const detections = recognizer.recognize(width, height)
 */
export class Recognizer {
  /** Part of the picture in the buffer that is whole, 0..1. */
  #share = 1
  /** How the last frame's time was spent. */
  readonly timings: Timings = { find: 0, fine: 0, read: 0 }

  private constructor(
    private readonly wasm: RecognizerExports & ASUtil,
    readonly model: Omit<Model, 'nets'>,
    /** First 16 hex digits of the module's and of the model's SHA-256. */
    readonly moduleId: string,
    readonly modelId: string,
  ) {}

  /** @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI, ALPR_ERR_MODEL_INVALID, ALPR_ERR_MODEL_MEMORY */
  static async create(
    wasmBytes: Uint8Array,
    modelBytes: Uint8Array,
    options: RecognizerOptions = {},
  ): Promise<Recognizer> {
    const { nets, ...model } = parseModel(modelBytes)
    const wasm = await loadRecognizer(wasmBytes)
    for (const blob of nets) loadNet(wasm, blob)
    const c = { ...model.cascade, ...options.cascade }
    wasm.configure(
      c.coarseFloor,
      c.candidates,
      c.coarseShare ?? 0,
      c.crowdFloor ?? 1,
      c.fineZoom,
      c.fineFloor,
      c.beam,
      c.readFloor,
      c.readSure ?? 1,
      c.readHopeless ?? 0,
      c.twoLineBelow ?? 0,
      c.closeUpBelow ?? 0,
      c.calibA,
      c.calibB,
    )
    for (const margin of c.readMargins) wasm.margin(margin)
    setSyntax(wasm, model.syntax, c.syntaxWeight ?? 0)
    wasm.regions(model.regions.length, c.regionFloor ?? 1, c.regionScale ?? 1, c.regionSyntax ?? 0, c.letterWeight ?? 0)
    setRegionShapes(wasm, model)
    setRegionLetters(wasm, model)
    expectLoaded(wasm.sealModel())
    const recognizer = new Recognizer(wasm, model, await idOf(wasmBytes), await idOf(modelBytes))
    for (let i = 0; i < (options.warmUps ?? 12); i++) wasm.warmUp()
    return recognizer
  }

  /** The module's description of itself, one line for people. */
  describe(): string {
    return this.wasm.__getString(this.wasm.describe())
  }

  /**
   * The buffer for the 8-bit luma of the next frame: width * height bytes in the module's memory, row by row. Valid
   * until the next call with another size. Sides 32 to 8192.
   * @throws ALPR_ERR_IMAGE_SIZE, ALPR_ERR_IMAGE_MEMORY
   */
  lumaBuffer(width: number, height: number): Uint8Array {
    this.#share = 1
    this.prepare(width, height)
    return new Uint8Array(this.wasm.memory.buffer, this.wasm.lumaAddress(), width * height)
  }

  /**
   * Marks the picture in the buffer as damaged, until the next call of `lumaBuffer`: what is read in it has a lower
   * confidence. decodePicture calls this.
   * @param share part of the picture that is whole, 0..1
   */
  markDamaged(share: number): void {
    this.#share = share
  }

  /**
   * The plates in the frame whose luma is in `lumaBuffer(width, height)`, most confident first, at most 16.
   * @throws ALPR_ERR_IMAGE_SIZE, ALPR_ERR_IMAGE_MEMORY
   */
  recognize(width: number, height: number): Detection[] {
    this.prepare(width, height)
    const { wasm, timings } = this
    const start = performance.now()
    const boxes = wasm.findBoxes()
    timings.find = performance.now() - start
    timings.fine = timings.read = 0
    const sure = wasm.sureBoxes()
    let count = this.lookAndRead(() => wasm.lookAtFrameItself())
    for (const [from, to] of [
      [0, sure],
      [sure, boxes],
    ] as const) {
      if (count > 0 || from === to) continue
      wasm.lookAgain()
      count = this.lookAndRead(() => {
        for (let i = from; i < to; i++) wasm.lookAt(i)
      })
    }
    timings.find += timings.fine
    const detections = Array.from({ length: count }, (_, i) =>
      readRecord(wasm.memory.buffer, wasm.recordAt(i), this.model.regions),
    )
    return this.#share < 1 ? detections.map(inDamagedPicture) : detections
  }

  /** Takes the fine looks, then reads the plates they found. @returns the number of plates with a text */
  private lookAndRead(fineLooks: () => void): number {
    const { wasm, timings } = this
    const start = performance.now()
    fineLooks()
    const plates = wasm.settle()
    const found = performance.now()
    for (let i = 0; i < plates; i++) wasm.readAt(i)
    const count = wasm.finish()
    timings.fine += found - start
    timings.read += performance.now() - found
    return count
  }

  private prepare(width: number, height: number): void {
    // checked here too: the module would see a side of 2^32 or more modulo 2^32
    const possible = [width, height].every((side) => Number.isInteger(side) && side >= MIN_SIDE && side <= MAX_SIDE)
    const code = possible ? this.wasm.prepare(width, height) : REFUSED_SIZE
    if (code === REFUSED_SIZE)
      throw new WasmError('ALPR_ERR_IMAGE_SIZE', { width, height, least: MIN_SIDE, most: MAX_SIDE })
    if (code !== OK) throw new WasmError('ALPR_ERR_IMAGE_MEMORY', { width, height })
  }
}

function loadNet(wasm: RecognizerExports, blob: Uint8Array): void {
  const at = wasm.stageBlob(blob.length)
  if (at === 0) throw new WasmError('ALPR_ERR_MODEL_MEMORY')
  new Uint8Array(wasm.memory.buffer, at, blob.length).set(blob)
  expectLoaded(wasm.addNet(at))
}

/** Shapes as syntax.ts of the module encodes them: bit n for n characters, then one bit each, set for a letter. */
function setSyntax(wasm: RecognizerExports, logs: Model['syntax'], weight: number): void {
  wasm.syntax(weight, logs[''] ?? 0)
  for (const [shape, log] of Object.entries(logs)) {
    if (shape !== '') wasm.shape(bitsOf(shape), log)
  }
}

/** The module requires them in ascending order of the shape. */
function setRegionShapes(wasm: RecognizerExports, model: Pick<Model, 'regions' | 'syntaxByRegion'>): void {
  const entries = Object.entries(model.syntaxByRegion).flatMap(([region, shares]) =>
    Object.entries(shares).map(([shape, share]) => ({
      bits: bitsOf(shape),
      region: model.regions.indexOf(region),
      share,
    })),
  )
  for (const { bits, region, share } of entries.sort((a, b) => a.bits - b.bits)) wasm.regionShape(bits, region, share)
}

function setRegionLetters(wasm: RecognizerExports, model: Pick<Model, 'regions' | 'letters'>): void {
  for (const [region, ratios] of Object.entries(model.letters)) {
    for (const [letter, ratio] of Object.entries(ratios))
      wasm.regionLetter(CHARACTERS.indexOf(letter) + 1, model.regions.indexOf(region), ratio)
  }
}

function bitsOf(shape: string): number {
  return [...shape].reduce((bits, c) => bits * 2 + (c === 'A' ? 1 : 0), 1)
}

function expectLoaded(code: number): void {
  if (code === REFUSED_MEMORY) throw new WasmError('ALPR_ERR_MODEL_MEMORY')
  if (code !== OK) throw new WasmError('ALPR_ERR_MODEL_INVALID', { reason: 'the module refuses a net' })
}
