import { CLASSES, NONE } from '../classes.js'
import { WasmError } from '../errors.js'

/** The file `plate_syntax.json`: which positions are letters and which are digits, per region of issue. */
export interface PlateSyntaxData {
  format: 1
  origin: { part: string; source: string }[]
  /** Share of a region's plates that have none of its shapes. */
  other: number
  /** By region (US-CA, DE): its formats, the most common first; `A` letter, `9` digit, `?` either. */
  regions: Record<string, { name: string; shapes: string[] }>
}

/** Weights of one read, from its shape; all 1 (and the plain priors) where the syntax is unknown. */
export interface ReadWeights {
  /** For each position: weight of characters of the other kind (digit, letter) than the top one. */
  kinds: Float64Array
  /** For each position: weight of the case that the character is not on the plate. */
  extras: Float64Array
  /** Before each position, and at the end: P(a given digit was not read), P(a given letter was not read). */
  missing: Float64Array
}

/** Longest text that has a shape. */
const MAX_SHAPE = 12
const SHAPES = 1 << (MAX_SHAPE + 1)
/** Largest factors by which syntax raises or lowers the other kind, an extra and a missing character. */
const KIND_LIMIT = 8
const EXTRA_LIMIT = 8
const MISSING_LIMIT = 30
const CHARACTER_COUNT = 36

/**
 * The shapes of plates. A shape is a number with bit n set for n characters, and bit n-1-i set where character i is a
 * letter. Syntax weighs only what a read leaves open: list_read.ts never raises a character above the top one.
 */
export class PlateSyntax {
  private constructor(
    readonly data: PlateSyntaxData,
    private readonly tables: ReadonlyMap<string, Float64Array>,
    private readonly all: Float64Array,
  ) {}

  /** @param json the parsed file. @throws ALPR_ERR_SYNTAX_INVALID naming what is wrong */
  static of(json: unknown): PlateSyntax {
    const data = validate(json)
    const tables = new Map(
      Object.entries(data.regions).map(([region, { shapes }]) => [region, tableOf(shapes, data.other)]),
    )
    const all = new Float64Array(SHAPES)
    for (const table of tables.values())
      for (let shape = 0; shape < SHAPES; shape++) all[shape]! += table[shape]! / tables.size
    return new PlateSyntax(data, tables, all)
  }

  /**
   * Share of a region's plates that have a shape (`A` letter, `9` digit); of all plates when the region is unknown.
   */
  share(region: string | undefined, shape: string): number {
    if (shape.length === 0 || shape.length > MAX_SHAPE) return 0
    return this.table(region)[[...shape].reduce((bits, kind) => (bits << 1) | (kind === 'A' ? 1 : 0), 1)]!
  }

  /** Regions with formats. */
  get regions(): string[] {
    return [...this.tables.keys()]
  }

  /** Number of texts of a shape: 26 per letter, 10 per digit. */
  static textsOf(shape: number): number {
    let texts = 1
    for (; shape > 1; shape >>= 1) texts *= shape & 1 ? 26 : 10
    return texts
  }

  /** P(a random plate has this text), from its shape. */
  probabilityOfText(region: string | undefined, text: string): number {
    if (text.length === 0 || text.length > MAX_SHAPE) return 0
    let shape = 1
    for (let i = 0; i < text.length; i++) shape = (shape << 1) | (text.charCodeAt(i) > 57 ? 1 : 0)
    return this.table(region)[shape]! / PlateSyntax.textsOf(shape)
  }

  /**
   * The weights of a read.
   * @param positions 37 probabilities each
   * @param region of issue, when known; characters are weighed only then, because the reader's model has already
   * applied the syntax of all regions
   * @param missing P(the plate has one more character at a given place)
   * @param weighed whether the region's syntax is already part of the distribution
   * @param weights written to, at least as long as needed
   */
  weigh(
    positions: readonly Float32Array[],
    region: string | undefined,
    missing: number,
    weighed = false,
    weights = newWeights(positions.length),
  ): ReadWeights {
    const n = positions.length
    fillPlain(weights, n, missing)
    let seen = 0
    const { table, known } = this.find(region, weighed)
    let shape = 1
    for (let i = 0; i < n; i++) {
      if (positions[i]![NONE]! > 0.5) continue
      seen += 1
      if (seen > MAX_SHAPE) return weights
      shape = (shape << 1) | (isLetter(positions[i]!) ? 1 : 0)
    }
    if (seen === 0) return weights
    const here = table[shape]!
    let before = 0
    for (let i = 0; i <= n; i++) {
      const bit = seen - 1 - before
      if (seen < MAX_SHAPE) {
        // one more character before the position
        const low = shape & ((1 << (bit + 1)) - 1)
        const high = (shape >> (bit + 1)) << (bit + 2)
        for (let kind = 0; kind < 2; kind++)
          weights.missing[i * 2 + kind]! *= within(table[high | (kind << (bit + 1)) | low]! / here, MISSING_LIMIT)
      }
      if (i === n || positions[i]![NONE]! > 0.5) continue
      if (known) weights.kinds[i] = within(table[shape ^ (1 << bit)]! / here, KIND_LIMIT)
      const without = ((shape >> (bit + 1)) << bit) | (shape & ((1 << bit) - 1))
      weights.extras[i] = without > 1 ? within(table[without]! / here, EXTRA_LIMIT) : 1
      before += 1
    }
    return weights
  }

  private find(region: string | undefined, weighed: boolean): { table: Float64Array; known: boolean } {
    const table = region === undefined ? undefined : this.tables.get(region)
    return { table: table ?? this.all, known: !weighed && table !== undefined }
  }

  private table(region: string | undefined): Float64Array {
    return (region !== undefined && this.tables.get(region)) || this.all
  }
}

/** Weights without any syntax. */
export function plainWeights(positions: number, missing: number): ReadWeights {
  const weights = newWeights(positions)
  fillPlain(weights, positions, missing)
  return weights
}

const newWeights = (positions: number): ReadWeights => ({
  kinds: new Float64Array(positions),
  extras: new Float64Array(positions),
  missing: new Float64Array((positions + 1) * 2),
})

/** Sets the weights of a read without any syntax. */
export function fillPlain(weights: ReadWeights, positions: number, missing: number): void {
  const each = missing / CHARACTER_COUNT
  for (let i = 0; i < positions; i++) {
    weights.kinds[i] = 1
    weights.extras[i] = 1
  }
  for (let i = 0; i < (positions + 1) * 2; i++) weights.missing[i] = each
}

const within = (ratio: number, limit: number): number => Math.min(limit, Math.max(1 / limit, ratio))

/** Whether the most probable character is a letter; on ties a digit. */
function isLetter(position: Float32Array): boolean {
  let digit = 0
  let letter = 0
  for (let c = 0; c < 10; c++) if (position[c]! > digit) digit = position[c]!
  for (let c = 10; c < CLASSES - 1; c++) if (position[c]! > letter) letter = position[c]!
  return letter > digit
}

/** The n-th format counts 1/n; a `?` is either half the time. All other shapes share `other`. */
function tableOf(shapes: readonly string[], other: number): Float64Array {
  const table = new Float64Array(SHAPES).fill(other / SHAPES)
  const total = shapes.reduce((sum, _, i) => sum + 1 / (i + 1), 0)
  shapes.forEach((text, i) => {
    const open = [...text].filter((kind) => kind === '?').length
    for (let choice = 0; choice < 1 << open; choice++) {
      let left = choice
      let shape = 1
      for (const kind of text) {
        const letter = kind === '?' ? left & 1 : kind === 'A' ? 1 : 0
        if (kind === '?') left >>= 1
        shape = (shape << 1) | letter
      }
      table[shape]! += (1 - other) / (i + 1) / total / (1 << open)
    }
  })
  return table
}

function validate(json: unknown): PlateSyntaxData {
  const data = json as PlateSyntaxData
  const fail = (reason: string): never => {
    throw new WasmError('ALPR_ERR_SYNTAX_INVALID', { reason })
  }
  if (data === null || typeof data !== 'object' || data.format !== 1) fail('format is not 1')
  if (!(typeof data.other === 'number' && data.other > 0 && data.other < 1)) fail('other is not between 0 and 1')
  const regions = Object.entries(data.regions ?? {})
  if (regions.length === 0 || regions.length > 254) fail('there are no regions, or more than 254')
  for (const [region, value] of regions) {
    if (!/^[A-Z0-9-]{1,15}$/.test(region)) fail(`region ${region} is not 1 to 15 of [A-Z0-9-]`)
    const { shapes } = value ?? {}
    if (
      !Array.isArray(shapes) ||
      shapes.length === 0 ||
      !shapes.every((shape) => typeof shape === 'string' && /^[A9?]{1,12}$/.test(shape))
    )
      fail(`shapes of ${region} are not 1 to 12 of A, 9 and ?`)
  }
  return data
}
