import { WasmError } from '../errors.js'
import { CHARACTERS } from './detection.js'
import { checkNet } from './model_net.js'

/** Constants of the cascade, from the model's metadata; see docs/model-format.md. */
export interface Cascade {
  coarseFloor: number
  candidates: number
  /**
   * A box less sure than this part of the best one's score is looked at only when the others have no text. @default 0
   */
  coarseShare?: number
  /** Boxes beyond `candidates` are looked at when they are at least this sure (up to 16 in all). @default 1: none is */
  crowdFloor?: number
  fineZoom: number
  fineFloor: number
  readMargins: number[]
  beam: number
  readFloor: number
  /**
   * When the text of the first margin is at least this probable, the other margins are not read. @default 1: all are
   * read
   */
  readSure?: number
  /**
   * When the text of the first margin is less probable than this, it is no plate and the others are not read. @default
   * 0
   */
  readHopeless?: number
  /** Power of a shape's share with which it counts. @default 0: syntax does not count */
  syntaxWeight?: number
  /** Width over height of a quad below which a plate may have two lines. @default 0: none has */
  twoLineBelow?: number
  /** Pixels of a frame below which one plate may fill it. @default 0: none is looked at so */
  closeUpBelow?: number
  /** What the logits of the regions are multiplied by, so that their probabilities are true. @default 1 */
  regionScale?: number
  /** Probability from which a region is named. @default 1: none is */
  regionFloor?: number
  /** Part of the regions' shapes in the syntax of a plate; the rest is the syntax of all. @default 0 */
  regionSyntax?: number
  /** Power of the ratio with which a rare letter of a serial counts. @default 0: not at all */
  letterWeight?: number
  calibA: number
  calibB: number
}

/**
 * A model file, checked. `nets[kind - 1]` is the blob of the coarse (1), fine (2), reader (3) and, when it names
 * regions, issuer (4) net.
 */
export interface Model {
  name: string
  version: number
  trainedAt: string
  cascade: Cascade
  /**
   * Natural logarithm of the share of each shape of a text ("9AAA999": 9 a digit, A a letter) among plates; '' is for
   * all others.
   */
  syntax: Readonly<Record<string, number>>
  /** Regions that the issuer net names, in the order of its outputs; as ISO 3166 writes them. */
  regions: readonly string[]
  /** Share of each shape among the plates of a region. */
  syntaxByRegion: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Rare letters in the serials of a region: how often, 1 is the average letter. */
  letters: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** How it was made and what it measured; free form. */
  card: Record<string, unknown>
  nets: Uint8Array[]
}

const MAGIC = 'PSMODEL1'

/** Constants that a model may leave out: least, most. */
const OPTIONAL = {
  coarseShare: [0, 1],
  crowdFloor: [0, 1],
  readSure: [0, 1],
  readHopeless: [0, 1],
  syntaxWeight: [0, 1],
  twoLineBelow: [0, 10],
  closeUpBelow: [0, 1e8],
  regionScale: [0.01, 100],
  regionFloor: [0, 1],
  regionSyntax: [0, 0.99],
  letterWeight: [0, 1],
} as const

const MAX_REGIONS = 128

/** Least, most, and whether a whole number is needed. */
const CASCADE_LIMITS: Record<
  Exclude<keyof Cascade, 'readMargins' | keyof typeof OPTIONAL>,
  [number, number, boolean?]
> = {
  coarseFloor: [0, 1],
  candidates: [1, 16, true],
  fineZoom: [1, 10],
  fineFloor: [0, 1],
  beam: [1, 32, true],
  readFloor: [0, 1],
  calibA: [0.01, 100],
  calibB: [-100, 100],
}

export const refuse = (reason: string): never => {
  throw new WasmError('ALPR_ERR_MODEL_INVALID', { reason })
}

/**
 * Takes a model file (*.psm, docs/model-format.md) apart and checks all that the module trusts: frames, offsets,
 * shapes, finite tables, and that no sum can overflow.
 * @throws ALPR_ERR_MODEL_INVALID with the first thing that is wrong
 */
export function parseModel(bytes: Uint8Array): Model {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 16 || String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC)
    refuse('it does not begin with PSMODEL1')
  const metaBytes = view.getUint32(8, true)
  const netCount = view.getUint32(12, true)
  if (metaBytes % 16 !== 0 || 16 + metaBytes > bytes.length)
    refuse(`metadata of ${metaBytes} bytes in a file of ${bytes.length}`)
  const metadata = parseMetadata(bytes.subarray(16, 16 + metaBytes))
  const kinds = metadata.regions.length > 0 ? 4 : 3
  if (netCount !== kinds) refuse(`${netCount} nets instead of ${kinds}`)
  const nets: Uint8Array[] = []
  let at = 16 + metaBytes
  for (let i = 0; i < netCount; i++) {
    if (at + 16 > bytes.length) refuse(`net ${i} begins behind the end of the file`)
    const blobBytes = view.getUint32(at, true)
    if (at + 16 + blobBytes > bytes.length) refuse(`net ${i} of ${blobBytes} bytes ends behind the end of the file`)
    const blob = bytes.subarray(at + 16, at + 16 + blobBytes)
    const kind = checkNet(blob, metadata.regions.length)
    if (nets[kind - 1]) refuse(`two nets of kind ${kind}`)
    nets[kind - 1] = blob
    at += 16 + Math.ceil(blobBytes / 16) * 16
  }
  return { ...metadata, nets }
}

function parseMetadata(bytes: Uint8Array): Omit<Model, 'nets'> {
  let json: any
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return refuse('the metadata is not JSON')
  }
  if (typeof json !== 'object' || json === null) refuse('the metadata is not an object')
  if (json.alphabet !== CHARACTERS) refuse('the alphabet is not 0-9A-Z')
  const given = json.cascade ?? {}
  for (const [key, [least, most, whole]] of Object.entries(CASCADE_LIMITS)) {
    const value = given[key]
    if (typeof value !== 'number' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      refuse(`cascade.${key} is ${value}, expected ${whole ? 'a whole number ' : ''}${least} to ${most}`)
    }
  }
  for (const [key, [least, most]] of Object.entries(OPTIONAL)) {
    const value = given[key]
    if (value !== undefined && !(typeof value === 'number' && value >= least && value <= most))
      refuse(`cascade.${key} is ${value}, expected ${least} to ${most}`)
  }
  const margins: unknown = given.readMargins
  if (
    !Array.isArray(margins) ||
    margins.length < 1 ||
    margins.length > 4 ||
    !margins.every((m) => typeof m === 'number' && m > -0.4 && m < 2)
  ) {
    refuse('cascade.readMargins must be 1 to 4 numbers from -0.4 to 2')
  }
  const syntax: Record<string, unknown> = json.syntax ?? {}
  for (const [shape, log] of Object.entries(syntax)) {
    if (!/^[9A]{0,12}$/.test(shape) || typeof log !== 'number' || !(log <= 0 && log > -100))
      refuse(`syntax["${shape}"] is ${log}`)
  }
  const regions = parseRegions(json.regions ?? [])
  return {
    name: String(json.name ?? ''),
    version: Number(json.version ?? 0),
    trainedAt: String(json.trainedAt ?? ''),
    cascade: given as Cascade,
    syntax: syntax as Record<string, number>,
    regions,
    syntaxByRegion: parseTables('syntaxByRegion', json.syntaxByRegion ?? {}, regions, /^[9A]{1,12}$/),
    letters: parseTables('letters', json.letters ?? {}, regions, /^[A-Z]$/),
    card: typeof json.card === 'object' && json.card !== null ? json.card : {},
  }
}

function parseRegions(given: unknown): string[] {
  const possible =
    Array.isArray(given) &&
    given.length <= MAX_REGIONS &&
    given.every((region) => typeof region === 'string' && /^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(region))
  if (!possible || new Set(given).size !== given.length)
    return refuse(`the regions must be up to ${MAX_REGIONS} different ISO 3166 codes`)
  return given
}

/** Tables by region: keys as `key` wants them, values 0 to 1. */
function parseTables(
  name: string,
  given: unknown,
  regions: readonly string[],
  key: RegExp,
): Record<string, Record<string, number>> {
  if (typeof given !== 'object' || given === null) return refuse(`${name} is not an object`)
  for (const [region, table] of Object.entries(given)) {
    if (!regions.includes(region) || typeof table !== 'object' || table === null)
      refuse(`${name}["${region}"] is of no region of the model`)
    for (const [entry, value] of Object.entries(table as object)) {
      if (!key.test(entry) || typeof value !== 'number' || !(value >= 0 && value <= 1))
        refuse(`${name}["${region}"]["${entry}"] is ${value}`)
    }
  }
  return given as Record<string, Record<string, number>>
}
