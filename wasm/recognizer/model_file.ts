import { CHARACTERS } from '../classes.js'
import { checkNet } from './model_net.js'
import { MAX_REGIONS } from './layout.js'
import { refuseModel } from './refuse_model.js'

/** Constants of the cascade, from the model's metadata; see docs/model-format.md. */
export interface Cascade {
  coarseFloor: number
  candidates: number
  /**
   * Boxes with a score below this fraction of the best one are examined only when the others have no text. @default 0
   */
  coarseShare?: number
  /** Boxes beyond `candidates` with at least this score are examined too (up to 16 in all). @default 1: none */
  crowdFloor?: number
  fineZoom: number
  fineFloor: number
  readMargins: number[]
  beam: number
  readFloor: number
  /** From this probability of the first margin's text on, the other margins are not read. @default 1: all are read */
  readSure?: number
  /** Below this probability of the first margin's text there is no plate, and the others are not read. @default 0 */
  readHopeless?: number
  /** Exponent of a shape's share in a text's probability. @default 0: syntax does not count */
  syntaxWeight?: number
  /** Width / height of a quad below which a plate may have two lines. @default 0: none has */
  twoLineBelow?: number
  /** Frames with fewer pixels may show one plate only. @default 0: none */
  closeUpBelow?: number
  /** Factor of the regions' logits that calibrates their probabilities. @default 1 */
  regionScale?: number
  /** Probability from which a region is named. @default 1: none */
  regionFloor?: number
  /** Weight of the regions' own shapes in the syntax of a plate; the rest is the syntax of all plates. @default 0 */
  regionSyntax?: number
  /** Exponent of the ratio of a rare letter in a serial. @default 0: letters do not count */
  letterWeight?: number
  calibA: number
  calibB: number
}

/**
 * A validated model file. `nets[kind - 1]` is the blob of the coarse (1), fine (2), reader (3) and, when it names
 * regions, issuer (4) net.
 */
export interface Model {
  name: string
  version: number
  trainedAt: string
  cascade: Cascade
  /**
   * Natural logarithm of the share of each shape of a text ("9AAA999": 9 a digit, A a letter) among plates; '' stands
   * for all others.
   */
  syntax: Readonly<Record<string, number>>
  /** Regions that the issuer net names, as ISO 3166 codes, in the order of its outputs. */
  regions: readonly string[]
  /** Share of each shape among the plates of a region. */
  syntaxByRegion: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Frequency of rare letters in the serials of a region; 1 is the average letter. */
  letters: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** How the model was made and what it measured; free form. */
  card: Record<string, unknown>
  nets: Uint8Array[]
}

const MAGIC = 'PSMODEL1'

/** Optional constants: minimum, maximum. */
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

/** Minimum, maximum, and whether the value must be an integer. */
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

/**
 * Parses a model file (*.psm, docs/model-format.md) and validates everything that the module trusts: frames, offsets,
 * shapes, finite tables, and that no sum can overflow.
 * @throws ALPR_ERR_MODEL_INVALID with the first fault
 */
export function parseModel(bytes: Uint8Array): Model {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 16 || String.fromCharCode(...bytes.subarray(0, 8)) !== MAGIC)
    refuseModel('it does not begin with PSMODEL1')
  const metaBytes = view.getUint32(8, true)
  const netCount = view.getUint32(12, true)
  if (metaBytes % 16 !== 0 || 16 + metaBytes > bytes.length)
    refuseModel(`metadata of ${metaBytes} bytes in a file of ${bytes.length}`)
  const metadata = parseMetadata(bytes.subarray(16, 16 + metaBytes))
  const kinds = metadata.regions.length > 0 ? 4 : 3
  if (netCount !== kinds) refuseModel(`${netCount} nets instead of ${kinds}`)
  const nets: Uint8Array[] = []
  let at = 16 + metaBytes
  for (let i = 0; i < netCount; i++) {
    if (at + 16 > bytes.length) refuseModel(`net ${i} begins after the end of the file`)
    const blobBytes = view.getUint32(at, true)
    if (at + 16 + blobBytes > bytes.length) refuseModel(`net ${i} of ${blobBytes} bytes ends after the end of the file`)
    const blob = bytes.subarray(at + 16, at + 16 + blobBytes)
    const kind = checkNet(blob, metadata.regions.length)
    if (nets[kind - 1]) refuseModel(`two nets of kind ${kind}`)
    nets[kind - 1] = blob
    at += 16 + Math.ceil(blobBytes / 16) * 16
  }
  return { ...metadata, nets }
}

function parseMetadata(bytes: Uint8Array): Omit<Model, 'nets'> {
  // biome-ignore lint/suspicious/noExplicitAny: every field that is used is validated below
  let json: any
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return refuseModel('the metadata is not JSON')
  }
  if (typeof json !== 'object' || json === null) refuseModel('the metadata is not an object')
  if (json.alphabet !== CHARACTERS) refuseModel('the alphabet is not 0-9A-Z')
  const given = json.cascade ?? {}
  for (const [key, [least, most, whole]] of Object.entries(CASCADE_LIMITS)) {
    const value = given[key]
    if (typeof value !== 'number' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      refuseModel(`cascade.${key} is ${value}, expected ${whole ? 'a whole number ' : ''}${least} to ${most}`)
    }
  }
  for (const [key, [least, most]] of Object.entries(OPTIONAL)) {
    const value = given[key]
    if (value !== undefined && !(typeof value === 'number' && value >= least && value <= most))
      refuseModel(`cascade.${key} is ${value}, expected ${least} to ${most}`)
  }
  const margins: unknown = given.readMargins
  if (
    !Array.isArray(margins) ||
    margins.length < 1 ||
    margins.length > 4 ||
    !margins.every((m) => typeof m === 'number' && m > -0.4 && m < 2)
  ) {
    refuseModel('cascade.readMargins must be 1 to 4 numbers from -0.4 to 2')
  }
  const syntax: Record<string, unknown> = json.syntax ?? {}
  for (const [shape, log] of Object.entries(syntax)) {
    if (!/^[9A]{0,12}$/.test(shape) || typeof log !== 'number' || !(log <= 0 && log > -100))
      refuseModel(`syntax["${shape}"] is ${log}`)
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
    return refuseModel(`the regions must be up to ${MAX_REGIONS} different ISO 3166 codes`)
  return given
}

/** Tables by region: keys that match `key`, values 0 to 1. */
function parseTables(
  name: string,
  given: unknown,
  regions: readonly string[],
  key: RegExp,
): Record<string, Record<string, number>> {
  if (typeof given !== 'object' || given === null) return refuseModel(`${name} is not an object`)
  for (const [region, table] of Object.entries(given)) {
    if (!regions.includes(region) || typeof table !== 'object' || table === null)
      refuseModel(`${name}["${region}"] is not a region of the model`)
    for (const [entry, value] of Object.entries(table as object)) {
      if (!key.test(entry) || typeof value !== 'number' || !(value >= 0 && value <= 1))
        refuseModel(`${name}["${region}"]["${entry}"] is ${value}`)
    }
  }
  return given as Record<string, Record<string, number>>
}
