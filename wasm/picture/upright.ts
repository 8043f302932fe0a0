import type { Decoded } from './decoded.js'
import type { LumaTarget } from './limits.js'
import { turnUpright, type Orientation } from './orientation.js'

/** Decodes a picture with its orientation applied, as viewers show it. */
export function decodeUpright(
  orientation: Orientation,
  target: LumaTarget,
  decode: (target: LumaTarget) => Decoded,
): Decoded {
  if (orientation === 1) return decode(target)
  const aside = new Aside()
  return turned(orientation, target, aside, decode(aside))
}

/** The same for a decoder that takes its time. */
export async function decodeUprightLater(
  orientation: Orientation,
  target: LumaTarget,
  decode: (target: LumaTarget) => Promise<Decoded>,
): Promise<Decoded> {
  if (orientation === 1) return decode(target)
  const aside = new Aside()
  return turned(orientation, target, aside, await decode(aside))
}

/** Holds a picture until it is turned. */
class Aside implements LumaTarget {
  luma: Uint8Array = new Uint8Array(0)
  lumaBuffer(width: number, height: number): Uint8Array {
    return (this.luma = new Uint8Array(width * height))
  }
}

function turned(orientation: Orientation, target: LumaTarget, { luma }: Aside, decoded: Decoded): Decoded {
  const size = turnUpright(luma, decoded, orientation, target)
  if (decoded.damage) target.markDamaged?.(decoded.damage.share)
  return { ...decoded, ...size }
}
