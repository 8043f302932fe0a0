import { sleep } from '../../../engine/runtime/backoff.js'
import type { Quad } from '../../../wasm/mod.js'
import { world } from '../current.js'
import { parsePicture } from '../picture.js'

/** Renders nothing: the two pictures of a read name their frame. */
export class Renderer {
  static create(count: number): Promise<Renderer[]> {
    return Promise.resolve(Array.from({ length: count }, () => new Renderer()))
  }

  /** @throws when the frame is not a picture */
  async render(jpeg: Uint8Array, _quad: Quad): Promise<{ crop: Buffer; picture: Buffer }> {
    await sleep(world().random.engines.delay(4))
    const { key } = parsePicture(jpeg)
    if (world().unrenderable.has(key)) throw new Error('simulated: the frame cannot be rendered')
    return { crop: Buffer.from(`crop ${key}`), picture: Buffer.from(`picture ${key}`) }
  }
}
