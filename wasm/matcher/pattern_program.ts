import { CODE_COUNT, CLASS_OF_CODE, CODE_OF_CLASS } from './alphabet.js'
import type { ConfusionModel } from './confusion_model.js'
import { coverOf } from './cubes.js'
import * as layout from './layout.js'
import { semanticsOf, ordersOf } from './pattern_semantics.js'
import type { Element, Fragment, Pattern } from './pattern.js'

export interface ProgramOptions {
  /** Most results kept, 1 to 10,000. */
  limit: number
  /** Whether look-alikes match without an error. */
  lookAlikes: boolean
  /** Numbers of the regions that match; undefined: all. */
  regions: ReadonlySet<number> | undefined
}

/** Encodes a pattern for matcher.wasm (drawing in wasm/assembly/matcher/layout.ts). @returns PATTERN_BYTES bytes */
export function compilePattern(pattern: Pattern, model: ConfusionModel, options: ProgramOptions): Uint8Array {
  const bytes = new Uint8Array(layout.PATTERN_BYTES)
  const view = new DataView(bytes.buffer)
  const orders = ordersOf(pattern)
  const joined = pattern.fragments.length > 1
  const length = pattern.fragments.reduce((sum, fragment) => sum + fragment.elements.length, 0)
  const open = orders[0]!.stars !== 0
  const classes = new Classes(model, options.lookAlikes, view)
  view.setUint32(layout.PATTERN_FRAGMENT_COUNT, pattern.fragments.length, true)
  view.setUint32(layout.PATTERN_EDITS, pattern.edits, true)
  view.setUint32(layout.PATTERN_ORDER_COUNT, orders.length, true)
  view.setUint32(layout.PATTERN_MIN_LENGTH, Math.max(0, length - pattern.edits), true)
  view.setUint32(layout.PATTERN_MAX_LENGTH, open ? layout.MAX_TEXT : length + pattern.edits, true)
  view.setUint32(layout.PATTERN_LIMIT, options.limit, true)
  for (let region = 0; region < 256; region++)
    bytes[layout.PATTERN_REGIONS + region] = options.regions === undefined || options.regions.has(region) ? 1 : 0
  view.setFloat64(layout.PATTERN_EXTRA, model.data.extra, true)
  view.setFloat64(layout.PATTERN_MISSING, model.data.missing, true)
  const around = (fragment: Fragment): Fragment =>
    joined ? { elements: fragment.elements, stars: 1 | (1 << fragment.elements.length) } : fragment
  // the most specific first: it leaves the fewest plates for the others
  const fragments = [...pattern.fragments].sort((a, b) => specificElements(b) - specificElements(a))
  fragments.forEach((fragment, f) =>
    writeAutomaton(view, layout.PATTERN_FRAGMENTS + f * layout.AUTOMATON_BYTES, around(fragment), classes),
  )
  orders.forEach((order, o) => writeAutomaton(view, layout.PATTERN_ORDERS + o * layout.AUTOMATON_BYTES, order, classes))
  view.setUint32(layout.PATTERN_ALL_REGIONS, options.regions === undefined ? 1 : 0, true)
  if (!joined) {
    view.setUint32(layout.PATTERN_HAS_STRICT, 1, true)
    writeAutomaton(view, layout.PATTERN_STRICT, pattern.fragments[0]!, new Classes(model, false, view, classes.written))
  }
  boundsOf(orders[0]!, pattern.edits, model, options.lookAlikes).forEach((bound, i) =>
    view.setFloat64(layout.PATTERN_BOUNDS + i * 8, bound, true),
  )
  return bytes
}

/** Number of elements that are not `?`. */
const specificElements = ({ elements }: Fragment): number =>
  elements.filter(({ classes }) => classes !== undefined).length

function writeAutomaton(view: DataView, at: number, fragment: Fragment, classes: Classes): void {
  view.setUint32(at, fragment.elements.length, true)
  view.setUint32(at + layout.AUTOMATON_STARS, fragment.stars, true)
  fragment.elements.forEach((element, j) => {
    view.setUint8(at + layout.AUTOMATON_CLASSES + j, classes.idOf(element))
    for (const code of classes.codesOf(element)) {
      const taken = at + layout.AUTOMATON_TAKES + code * 4
      view.setUint32(taken, (view.getUint32(taken, true) | (1 << j)) >>> 0, true)
    }
  })
  const selective = fragment.elements
    .flatMap((element, j) => (element.classes === undefined ? [] : [{ j, taken: classes.codesOf(element).length }]))
    .sort((a, b) => a.taken - b.taken)
  view.setUint8(at + layout.AUTOMATON_ASKED, selective.length)
  selective.forEach(({ j }, i) => view.setUint8(at + layout.AUTOMATON_ASKED + 1 + i, j))
}

/**
 * Upper bounds of a plate's probability: without a look-alike, with at least one, with at least one error, with two,
 * with at least one error that is not an extra character, with two of which one is not.
 */
function boundsOf({ elements }: Fragment, edits: number, model: ConfusionModel, lookAlikes: boolean): number[] {
  let most = 1
  let alike = 0
  // a misread or a missing character
  let lacking = 0
  for (const element of elements) {
    const { takes, weights, missing } = semanticsOf(element, model, lookAlikes)
    const best = Math.max(...weights)
    most *= best
    lacking = Math.max(lacking, missing / best)
    for (const [c, weight] of weights.entries()) {
      if (!takes.has(c)) lacking = Math.max(lacking, weight / best)
      else if (element.classes && !element.classes.has(c)) alike = Math.max(alike, weight / best)
    }
  }
  const error = Math.max(model.data.extra, lacking)
  // the best alignment may have an error in place of a look-alike
  if (edits > 0) alike = Math.max(alike, error)
  // slightly more: the order of factors changes the last digits of a product
  const slack = 1 + 1e-9
  return [1, alike, error, error * error, lacking, error * lacking].map((share) => most * Math.min(1, share) * slack)
}

/** The character classes of a pattern; each is written once. */
class Classes {
  private readonly ids = new Map<string, number>()

  /** @param from number of classes already written, with other semantics */
  constructor(
    private readonly model: ConfusionModel,
    private readonly lookAlikes: boolean,
    private readonly view: DataView,
    private readonly from = 0,
  ) {}

  get written(): number {
    return this.from + this.ids.size
  }

  idOf(element: Element): number {
    if (element.classes === undefined) return layout.ANY
    const key = [...element.classes].sort((a, b) => a - b).join()
    const existing = this.ids.get(key)
    if (existing !== undefined) return existing
    const id = this.written
    this.ids.set(key, id)
    this.write(id, element)
    return id
  }

  codesOf(element: Element): number[] {
    const { takes } = semanticsOf(element, this.model, this.lookAlikes)
    return [...takes].map((c) => CODE_OF_CLASS[c]!)
  }

  private write(id: number, element: Element): void {
    const { takes, weights, missing } = semanticsOf(element, this.model, this.lookAlikes)
    const at = layout.PATTERN_CLASSES + id * layout.CLASS_BYTES
    const codes = new Set([...takes].map((c) => CODE_OF_CLASS[c]!))
    let members = 0n
    for (const code of codes) members |= 1n << BigInt(code)
    this.view.setBigUint64(at, members, true)
    const cubes = coverOf(codes)
    this.view.setUint32(at + layout.CLASS_CUBE_COUNT, cubes.length, true)
    cubes.forEach(({ mask, value }, k) => {
      this.view.setUint8(at + layout.CLASS_CUBES + k * 2, mask)
      this.view.setUint8(at + layout.CLASS_CUBES + k * 2 + 1, value)
    })
    this.view.setFloat64(at + layout.CLASS_MISSING, missing, true)
    for (let code = 0; code < CODE_COUNT; code++) {
      const c = CLASS_OF_CODE[code]!
      this.view.setFloat64(at + layout.CLASS_WEIGHTS + code * 8, c === 255 ? 0 : weights[c]!, true)
    }
  }
}
