import type { Detection } from '../../wasm/mod.js'
import type { LabelledPlate, Photo } from '../photos.js'
import { TablePrinter } from '../report/table.js'

/** How the plates of a set were read. */
export interface Tally {
  plates: number
  /** Right by the published labels, by the corrected ones, and by these with O = 0 and I = 1 taken as equal. */
  published: number
  corrected: number
  folded: number
  /** The truth is among the five most probable texts. */
  topFive: number
  /** Plates with a box, and those of them with the box's centre in a returned quad. */
  boxes: number
  found: number
  /** Exactly read plates of known state, those of them with a named state, and with the right one. */
  states: number
  statesNamed: number
  statesRight: number
}

export const newTally = (): Tally => ({
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
  const sum = newTally()
  for (const tally of tallies) for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key]
  return sum
}

/** O and 0, I and 1 look the same on many plates. */
export const fold = (text: string): string => text.replaceAll('O', '0').replaceAll('I', '1')

/** Adds a labelled plate of a photo to a tally. @returns whether it was read exactly (corrected label) */
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
    tally.found += Number(detections.some((d) => contains(d.quad, x + w / 2, y + h / 2)))
  }
  if (right && photo.region === 'us' && photo.state_or_country) {
    tally.states += 1
    tally.statesNamed += Number(right.region !== null)
    tally.statesRight += Number(right.region === `US-${photo.state_or_country}`)
  }
  return right !== undefined
}

/** Whether the point is inside the quad's bounding box. */
function contains(quad: Detection['quad'], x: number, y: number): boolean {
  const xs = quad.map((c) => c[0])
  const ys = quad.map((c) => c[1])
  return x >= Math.min(...xs) && x <= Math.max(...xs) && y >= Math.min(...ys) && y <= Math.max(...ys)
}

const COUNTS = ['n', 'published', 'corrected', 'folded', 'in top 5', 'found', 'of boxes']
const STATE_COUNTS = ['state right', 'of named', 'of states']

/** The table of tallies. */
export const tallyTable = (): TablePrinter =>
  new TablePrinter([
    { title: 'set', width: 17, align: 'left' },
    ...[...COUNTS, ...STATE_COUNTS].map((title) => ({ title, width: Math.max(8, title.length + 1) })),
  ]).header()

export function printTally(table: TablePrinter, name: string, t: Tally): void {
  const percent = (n: number) => `${((100 * n) / Math.max(1, t.plates)).toFixed(1)} %`
  const exact = [t.published, t.corrected, t.folded, t.topFive].map(percent)
  const boxes = t.boxes > 0 ? [t.found, t.boxes] : ['', '']
  const states = t.states > 0 ? [t.statesRight, t.statesNamed, t.states] : []
  table.row(name, t.plates, ...exact, ...boxes, ...states)
}
