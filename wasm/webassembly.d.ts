/** The part of WebAssembly in use; the types of browsers have it, those of Node do not. */
declare namespace WebAssembly {
  class Module {
    private constructor()
    static exports(module: Module): { name: string; kind: string }[]
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean })
    readonly buffer: SharedArrayBuffer
    grow(pages: number): number
  }
  function compile(bytes: Uint8Array<ArrayBuffer>): Promise<Module>
}
