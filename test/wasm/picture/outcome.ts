import { WasmError, type Decoded, type LumaTarget } from '../../../wasm/internal_mod.js'

/** Keeps the last decoded picture. */
export class Target implements LumaTarget {
  luma = new Uint8Array(0)
  /** As `markDamaged` said. */
  share = 1
  lumaBuffer(width: number, height: number): Uint8Array {
    this.share = 1
    return (this.luma = new Uint8Array(width * height))
  }
  markDamaged(share: number): void {
    this.share = share
  }
}

/** What a decoder makes of bytes: a picture, perhaps a damaged one, or a code. */
export type Outcome = (Decoded & { luma: Buffer; share: number }) | { code: string }

export function outcome(decode: (jpeg: Uint8Array, target: LumaTarget) => Decoded, bytes: Uint8Array): Outcome {
  const target = new Target()
  try {
    return { ...decode(bytes, target), luma: Buffer.from(target.luma), share: target.share }
  } catch (error) {
    if (error instanceof WasmError) return { code: error.code }
    throw error
  }
}

export function isSame(a: Outcome, b: Outcome): boolean {
  if ('code' in a || 'code' in b) return 'code' in a && 'code' in b && a.code === b.code
  return a.width === b.width && a.reduced === b.reduced && a.share === b.share && a.luma.equals(b.luma)
}
