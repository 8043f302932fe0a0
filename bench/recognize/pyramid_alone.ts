import { loadRecognizer, loadWasmFile, type RecognizerExports } from '../../wasm/internal_mod.js'

/** Exports of wasm/assembly/probe.ts. */
interface Probe extends RecognizerExports {
  probePyramid(base: number, width: number, height: number): number
  probeBuildPyramid(): void
}

/** Beyond the module's own memory; nothing else uses it here. */
const kBase = 1 << 24

/** The pyramid in a module of its own, so that it can be timed: inside `recognize` it is part of one call. */
export class PyramidAlone {
  private size = ''

  private constructor(private readonly wasm: Probe) {}

  static async load(): Promise<PyramidAlone> {
    return new PyramidAlone((await loadRecognizer(await loadWasmFile('recognizer.wasm'))) as unknown as Probe)
  }

  /** Builds all levels of a frame of this size; the time does not depend on its pixels. @returns milliseconds */
  build(width: number, height: number): number {
    const size = `${width}x${height}`
    if (size !== this.size) this.wasm.probePyramid(kBase, width, height)
    this.size = size
    const start = performance.now()
    this.wasm.probeBuildPyramid()
    return performance.now() - start
  }
}
