import type { Bits } from './bits.js'
import type { Component, Frame } from './frame.js'

/**
 * Decodes one block; `x`, `y` are its position among the component's blocks.
 */
export type BlockDecoder = (component: Component, x: number, y: number) => void

/**
 * Walks the blocks of a scan: one component row by row, or several interleaved in minimal coded units.
 *
 *     4:2:0, interleaved   Y Y   Cb Cr   Y Y   Cb Cr  ..
 *                          Y Y           Y Y
 */
export function walkScan(
  frame: Frame,
  components: Component[],
  restartInterval: number,
  bits: Bits,
  decode: BlockDecoder,
  onRestart: () => void,
): void {
  const [first] = components as [Component]
  const alone = components.length === 1
  const across = alone ? first.blocksX : frame.unitsX
  const units = across * (alone ? first.blocksY : frame.unitsY)
  const blocks = alone ? 1 : components.reduce((sum, { h, v }) => sum + h * v, 0)
  let restarts = 0
  for (let unit = 0; unit < units; unit++) {
    if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
      bits.restart(restarts++ & 7)
      for (const component of components) component.dc = 0
      onRestart()
    }
    if (!frame.progressive) bits.startUnit(blocks)
    const x = unit % across
    const y = (unit - x) / across
    if (alone) {
      decode(first, x, y)
      continue
    }
    for (const component of components) {
      for (let v = 0; v < component.v; v++)
        for (let h = 0; h < component.h; h++) decode(component, x * component.h + h, y * component.v + v)
    }
  }
}
