import type { Detection } from '../../wasm/mod.js'
import type { LabelledPlate, Photo } from '../photos.js'

/** How the plates of a set were read. */
export interface Tally {
  plates: number
  /** Right against the labels as published, as corrected, and corrected with O = 0 and I = 1 taken for the same. */
  published: number
  corrected: number
  folded: number
  /** The truth is among the five most probable texts. */
  topFive: number
  /** Plates with a box, and those whose box's centre lies in a returned quad. */
  boxes: number
  found: number
  /** Plates of known state that were read, those of them whose state was named, and rightly. */
  states: number
  statesNamed: number
  statesRight: number
}

export const noTally = (): Tally => ({
  plates: 0,
  published: 0,
  corrected: 0,
  folded: 0,
  topFive: 0,
  boxes: 0,
  found: 0,
  states: 0,
  statesNamed: 0,
  statesRight: 0,
})

export function sumOf(tallies: readonly Tally[]): Tally {
  const sum = noTally()
  for (const tally of tallies) for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key]
  return sum
}

/** O and 0, I and 1 look the same on many plates. */
export const fold = (text: string): string => text.replaceAll('O', '0').replaceAll('I', '1')

/** Counts one labelled plate of a photo in; true when it was read exactly (corrected label). */
export function judge(
  tally: Tally,
  photo: Photo,
  plate: LabelledPlate & { text: string },
  detections: readonly Detection[],
): boolean {
  const texts = detections.map((d) => d.plate)
  const right = detections.find((d) => d.plate === plate.text)
  tally.plates += 1
  tally.published += Number(texts.includes(plate.text_orig ?? plate.text))
  tally.corrected += Number(right !== undefined)
  tally.folded += Number(texts.map(fold).includes(fold(plate.text)))
  tally.topFive += Number(
    detections.some((d) => [d, ...d.alternates].slice(0, 5).some(({ plate: text }) => text === plate.text)),
  )
  if (plate.box) {
    const [x, y, w, h] = plate.box
    tally.boxes += 1
    tally.found += Number(detections.some((d) => holds(d.quad, x + w / 2, y + h / 2)))
  }
  if (right && photo.region === 'us' && photo.state_or_country) {
    tally.states += 1
    tally.statesNamed += Number(right.region !== null)
    tally.statesRight += Number(right.region === `US-${photo.state_or_country}`)
  }
  return right !== undefined
}

/** Is the point inside the quad's bounding box? */
function holds(quad: Detection['quad'], x: number, y: number): boolean {
  const xs = quad.map((c) => c[0])
  const ys = quad.map((c) => c[1])
  return x >= Math.min(...xs) && x <= Math.max(...xs) && y >= Math.min(...ys) && y <= Math.max(...ys)
}

const share = (n: number, of: number): string => `${((100 * n) / Math.max(1, of)).toFixed(1).padStart(5)} %`

/** One line of the table. */
export function lineOf(name: string, t: Tally): string {
  return [
    name.padEnd(16),
    `n ${String(t.plates).padStart(4)}`,
    `published ${share(t.published, t.plates)}`,
    `corrected ${share(t.corrected, t.plates)}`,
    `folded ${share(t.folded, t.plates)}`,
    `in the top 5 ${share(t.topFive, t.plates)}`,
    t.boxes > 0 ? `found ${t.found} of ${t.boxes}` : '',
    t.states > 0 ? `state: ${t.statesRight} of ${t.statesNamed} named, of ${t.states}` : '',
  ]
    .filter(Boolean)
    .join('  ')
}
