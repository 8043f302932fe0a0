import { instantiateSync } from '@assemblyscript/loader'
import { WasmError } from '../errors.js'
import { idOf } from '../module_id.js'
import { CLASS_OF_CODE, CODE_OF_CLASS, CODES } from './alphabet.js'
import { CHARACTERS } from '../classes.js'
import type { MatcherExports } from './matcher_exports.js'
import {
  ABI_VERSION,
  RANK_SPECIAL,
  SEARCH_WORKSPACE_BYTES,
  TABLE_CLASS_OF_CODE,
  TABLE_CODE_OF_RANK,
  TABLE_RANK_OF_ASCII,
  TABLE_RANK_OF_CODE,
  TABLES_BYTES,
  WORKSPACE_BYTES,
} from './layout.js'

const PAGE = 65_536
/** Memories kept for reuse; more are left to the garbage collector. */
const MAX_IDLE = 2

/**
 * matcher.wasm, compiled. Every list, build and dictionary has a memory of its own with one or more instances. Engines
 * free a WebAssembly memory only when a garbage collection happens to find it unused, and its size prompts none:
 * whoever is done with one gives it back by `close`, and the next `open` reuses it.
 */
export class MatcherModule {
  private readonly idle: WebAssembly.Memory[] = []

  private constructor(
    readonly module: WebAssembly.Module,
    /** First 16 hex digits of the module's SHA-256. */
    readonly id: string,
    readonly bytes: Uint8Array,
  ) {}

  /** @throws ALPR_ERR_MODULE_INVALID, ALPR_ERR_MODULE_ABI */
  static async of(wasmBytes: Uint8Array): Promise<MatcherModule> {
    let module: WebAssembly.Module
    try {
      module = await WebAssembly.compile(wasmBytes as Uint8Array<ArrayBuffer>)
    } catch (error) {
      throw new WasmError('ALPR_ERR_MODULE_INVALID', { reason: error instanceof Error ? error.message : String(error) })
    }
    if (!WebAssembly.Module.exports(module).some(({ name }) => name === 'scanBlocks'))
      throw new WasmError('ALPR_ERR_MODULE_INVALID', { reason: 'it is not the matcher' })
    const found = instantiate(module, newMemory(1)).abiVersion()
    if (found !== ABI_VERSION) throw new WasmError('ALPR_ERR_MODULE_ABI', { found, needed: ABI_VERSION })
    return new MatcherModule(module, await idOf(wasmBytes), wasmBytes)
  }

  /**
   * A memory with one instance, the tables and a workspace.
   * @param bytes expected size, to choose among the memories that were given back
   */
  open(bytes = 0): MatcherMemory {
    return MatcherMemory.create(this.module, this.takeIdle(bytes))
  }

  /** Gives a memory back. Nothing may use it afterwards, in any thread. */
  close({ memory }: MatcherMemory): void {
    this.keepIdle(memory)
  }

  /** Takes a memory that was given back, for another thread: the smallest that is large enough, else the largest. */
  takeIdle(bytes = 0): WebAssembly.Memory | undefined {
    const size = (memory: WebAssembly.Memory) => memory.buffer.byteLength
    this.idle.sort((a, b) => size(a) - size(b))
    const fit = this.idle.findIndex((memory) => size(memory) >= bytes)
    return this.idle.splice(fit < 0 ? this.idle.length - 1 : fit, 1)[0]
  }

  /** The opposite of `takeIdle`. */
  keepIdle(memory: WebAssembly.Memory): void {
    if (this.idle.length < MAX_IDLE) this.idle.push(memory)
  }
}

function newMemory(pages: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: PAGE, shared: true })
}

function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): MatcherExports {
  // The loader passes `env.memory` through; its type of imports does not allow shared memory.
  return instantiateSync<MatcherExports>(module as never, { env: { memory } } as never)
    .exports as unknown as MatcherExports
}

/** What another thread needs to use the same memory. */
export interface SharedMatcherMemory {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  tables: number
  workspace: number
}

/** What the thread that takes a memory over needs. */
export interface HandedMemory {
  memory: WebAssembly.Memory
  tables: number
  workspace: number
  /** End of everything allocated. */
  mark: number
}

/** A memory of matcher.wasm and one instance in it. Only the instance that created the memory allocates in it. */
export class MatcherMemory {
  readonly exports: MatcherExports

  private constructor(
    readonly module: WebAssembly.Module,
    readonly memory: WebAssembly.Memory,
    private readonly tables: number,
    private readonly workspace: number,
    private free: number,
    /** What lies below this address may have been used before. */
    private readonly used: number,
  ) {
    this.exports = instantiate(module, memory)
    this.exports.attach(tables, workspace)
  }

  /** @param reused a memory that nothing uses any more */
  static create(module: WebAssembly.Module, reused?: WebAssembly.Memory): MatcherMemory {
    const memory = reused ?? newMemory(8)
    const used = reused?.buffer.byteLength ?? 0
    const base = instantiate(module, memory).heapBase()
    const workspace = align(base + TABLES_BYTES)
    const made = new MatcherMemory(module, memory, base, workspace, workspace + WORKSPACE_BYTES, used)
    made.grow(made.free)
    if (reused) made.bytes(base, made.free - base).fill(0)
    writeTables(made.bytes(base, TABLES_BYTES))
    return made
  }

  /** An instance for this thread in a memory that another thread created. */
  static attach({ module, memory, tables, workspace }: SharedMatcherMemory): MatcherMemory {
    return new MatcherMemory(module, memory, tables, workspace, Infinity, 0)
  }

  /** A memory that another thread created, with everything in it, and has handed over. */
  static adopt(module: WebAssembly.Module, { memory, tables, workspace, mark }: HandedMemory): MatcherMemory {
    return new MatcherMemory(module, memory, tables, workspace, mark, memory.buffer.byteLength)
  }

  /** Hands this memory over to another thread: only that thread may allocate in it from now on. */
  handOver(): HandedMemory {
    return { memory: this.memory, tables: this.tables, workspace: this.workspace, mark: this.free }
  }

  /** Allocates a workspace for another instance that searches. @throws ALPR_ERR_DICTIONARY_MEMORY */
  share(): SharedMatcherMemory {
    return {
      module: this.module,
      memory: this.memory,
      tables: this.tables,
      workspace: this.place(SEARCH_WORKSPACE_BYTES),
    }
  }

  /** Allocates `bytes` bytes, 64-byte aligned, zero unless rewound. @returns 0 when memory is at its limit */
  tryPlace(bytes: number): number {
    const at = align(this.free)
    if (!this.grow(at + bytes)) return 0
    if (at < this.used) this.bytes(at, Math.min(bytes, this.used - at)).fill(0)
    this.free = at + bytes
    return at
  }

  /** @throws ALPR_ERR_DICTIONARY_MEMORY */
  place(bytes: number): number {
    const at = this.tryPlace(bytes)
    if (at === 0) throw new WasmError('ALPR_ERR_DICTIONARY_MEMORY', { plates: Math.round(bytes / 12) })
    return at
  }

  /** End of everything allocated; `rewind(mark)` frees what was allocated since. */
  get mark(): number {
    return this.free
  }

  rewind(mark: number): void {
    this.free = mark
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length)
  }

  view(at: number, length: number): DataView {
    return new DataView(this.memory.buffer, at, length)
  }

  private grow(end: number): boolean {
    const missing = Math.ceil(end / PAGE) - this.memory.buffer.byteLength / PAGE
    if (missing <= 0) return true
    try {
      this.memory.grow(missing)
      return true
    } catch {
      return false
    }
  }
}

const align = (address: number): number => Math.ceil(address / 64) * 64

/** Writes the tables of the alphabet (drawing in wasm/assembly/matcher/layout.ts). */
function writeTables(bytes: Uint8Array): void {
  bytes.set(CLASS_OF_CODE, TABLE_CLASS_OF_CODE)
  let rank = 0
  for (const [code, character] of [...CODES].entries()) {
    if (character === '-') continue
    rank += 1
    bytes[TABLE_RANK_OF_ASCII + character.charCodeAt(0)] = rank
    bytes[TABLE_CODE_OF_RANK + rank] = code
    bytes[TABLE_RANK_OF_CODE + code] = rank
  }
  for (let letter = 97; letter <= 122; letter++) bytes[TABLE_RANK_OF_ASCII + letter] = RANK_SPECIAL
  for (const separator of ' -\t\r.') bytes[TABLE_RANK_OF_ASCII + separator.charCodeAt(0)] = RANK_SPECIAL
  if (rank !== CHARACTERS.length || CODE_OF_CLASS.includes(-1))
    throw new Error('the codes must contain every character once')
}
