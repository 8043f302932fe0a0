import { Dictionary, PlateBuilder, type Matcher } from '../../wasm/mod.js'
import { Plates } from '../random/plates.js'

/** Hours since 1970 of the first read, and the hours of a year. */
export const FIRST_HOUR = 490_000
const HOURS = 8_760

export interface LoadedDictionary {
  dictionary: Dictionary
  /** Time of loading, without the making of the random texts. */
  ms: number
  /** Bytes of the plates' text. */
  planesBytes: number
}

/** Loads a dictionary of `count` random plates of these shapes. */
export async function loadDictionary(
  matcher: Matcher,
  count: number,
  shapes: readonly string[],
): Promise<LoadedDictionary> {
  const random = new Plates(12_345)
  const builder = new PlateBuilder(matcher.module)
  const piece = new Uint8Array(1 << 22)
  let ms = 0
  for (let made = 0; made < count; ) {
    let at = 0
    for (; made < count && at < piece.length - 32; made++) at = writeRow(piece, at, random, random.pick(shapes))
    const start = performance.now()
    await builder.addRows(piece.subarray(0, at))
    ms += performance.now() - start
  }
  const start = performance.now()
  const built = await builder.build()
  const dictionary = Dictionary.of(matcher.module, built, matcher.confusions)
  ms += performance.now() - start
  return { dictionary, ms, planesBytes: built.planesBytes }
}

/** Writes RowBinary as ClickHouse sends it: plate, region, count, first and last hour. @returns the offset after it */
function writeRow(piece: Uint8Array, from: number, random: Plates, shape: string): number {
  let at = random.write(piece, from + 1, shape)
  piece[from] = at - from - 1
  piece[at] = 5
  at += 1
  for (const c of 'US-CA') piece[at++] = c.charCodeAt(0)
  const first = FIRST_HOUR + random.whole(HOURS)
  const view = new DataView(piece.buffer, at, 12)
  view.setUint32(0, 1 + Math.floor(1 / (random.next() + 1e-3)), true)
  view.setUint32(4, first, true)
  view.setUint32(8, first + random.whole(FIRST_HOUR + HOURS - first), true)
  return at + 12
}
