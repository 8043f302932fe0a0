import type { Bits } from './bits.js'
import type { Component } from './frame.js'
import { NATURAL } from './idct_fast.js'
import type { BlockDecoder } from './scan.js'

/**
 * Decodes baseline and extended pictures, whose blocks are complete. `onBlock` receives each block; its coefficients
 * are valid until the next one.
 */
export function sequentialScan(bits: Bits, onBlock: BlockDecoder): BlockDecoder {
  return (component, x, y) => {
    decodeBlock(bits, component)
    onBlock(component, x, y)
  }
}

function decodeBlock(bits: Bits, component: Component): void {
  const { coefficients, dcTable, acTable } = component
  coefficients.fill(0)
  component.dc += bits.signed(dcTable!.decode(bits))
  coefficients[0] = component.dc
  for (let k = 1; k < 64; k++) {
    const symbol = acTable!.decode(bits)
    const size = symbol & 15
    const run = symbol >> 4
    if (size === 0) {
      if (run !== 15) return
      k += 15
      continue
    }
    k += run
    coefficients[NATURAL[k]!] = bits.signed(size)
  }
}
