import type { Camera } from '../model/camera.js'
import type { Hit } from '../model/hit.js'
import type { ListMatch } from '../hotlists/list_match.js'
import type { OpenPass } from '../passes/pass.js'
import type { PublishedHit } from '../passes/pass_state.js'
import type { Read } from '../model/read.js'
import type { DecidedHit } from './decided_hit.js'

/** A vote is checked against the lists from this confidence or this many frames on, or when the pass closes. */
const MIN_CONFIDENCE = 0.6
const MIN_FRAMES = 3

/** A published match is withdrawn only clearly below the threshold (this share of it), so that hits do not flicker. */
const WITHDRAW_BELOW = 0.8
/** Share of the threshold for an exact match: even when the picture is blurred, a person should see it. */
const EXACT_FROM = 0.5

/** A pass that goes on is checked at least this often, event time, ms: a list may have changed. */
const RECHECK_MS = 60_000

/**
 * Whether the vote should be checked against the lists: at 1 to 8, 12, 16, 24, 32 ... frames, and once a minute. It
 * depends on the frames and on event time only, so that a replay checks the same votes at any speed; and it is asked
 * before the vote is evaluated, so that a parked car costs nothing.
 */
export function dueForCheck({ state: { frames, first, last, checked, reported } }: OpenPass): boolean {
  if (checked?.frames === frames) return false
  return (
    frames <= 8 ||
    // Its camera corrected the text.
    (reported !== undefined && checked === undefined) ||
    Number.isInteger(Math.log2(frames / 8)) ||
    Number.isInteger(Math.log2(frames / 12)) ||
    last.ts - (checked?.ts ?? first.ts) >= RECHECK_MS
  )
}

/** Whether a check is due and the vote is certain enough for it. */
export function worthChecking(pass: OpenPass, confidence: number): boolean {
  const { frames, reported } = pass.state
  return dueForCheck(pass) && (confidence >= MIN_CONFIDENCE || frames >= MIN_FRAMES || reported !== undefined)
}

/** Whether a pass that ends must be checked: its vote was not, or a published hit gets its last revision. */
export const needsLastCheck = ({ state: { frames, checked, hits } }: OpenPass): boolean =>
  checked?.frames !== frames || Object.values(hits).some((hit) => hit.state === 'possible' && hit.frames !== frames)

/**
 * The hit revisions that are due for a pass now, without their pictures. Updates `hits` and `checked` of the pass,
 * which are part of the checkpoint: a replay from there makes the same revisions with the same ids. A vote that was
 * checked before makes no further hits, however the lists have changed since. A pass that continues another has its
 * hits: they get a revision with the new place, under the id of the first.
 * @param closing the pass has ended: every hit gets its last revision
 */
export function makeHits(
  pass: OpenPass,
  read: Read,
  matches: readonly ListMatch[],
  camera: Camera,
  closing: boolean,
): Hit[] {
  const hits: Hit[] = []
  const published = pass.state.hits
  const isChecked = pass.state.checked?.frames === read.frames
  noteChecked(pass, read)
  for (const match of matches) {
    const key = keyOf(match.list.id, match.entry.plate)
    const before = published[key]
    if (match.probability < neededBy(match, before !== undefined)) continue
    if (isChecked && before?.state !== 'possible') continue
    const sameRead = before?.readId === undefined || before.readId === read.readId
    const sameText = before?.plate === undefined || before.plate === read.plate
    if (before?.state === 'possible' && sameRead && sameText && (!closing || before.frames === read.frames)) continue
    const revision = (before?.revision ?? 0) + 1
    const listed = listedOf(match, read.region)
    hits.push({
      ...common(pass, read, camera, key, revision),
      ...listed,
      state: 'possible',
      listedPlate: match.entry.plate,
      list: match.list.id,
      exact: match.exact,
      probability: match.probability,
      tolerated: match.tolerated,
    })
    published[key] = {
      ...{ revision, state: 'possible', readId: read.readId, frames: read.frames, listed },
      ...(pass.state.reported && { plate: read.plate }),
    }
  }
  for (const [key, before] of Object.entries(published)) {
    const still = matches.some((m) => keyOf(m.list.id, m.entry.plate) === key && m.probability >= neededBy(m, true))
    if (still || before.state === 'withdrawn') continue
    const match = matches.find((m) => keyOf(m.list.id, m.entry.plate) === key)
    const revision = before.revision + 1
    const dot = key.indexOf('.')
    hits.push({
      ...common(pass, read, camera, key, revision),
      ...before.listed,
      state: 'withdrawn',
      listedPlate: key.slice(dot + 1),
      list: key.slice(0, dot),
      exact: false,
      probability: match?.probability ?? 0,
      tolerated: match?.tolerated ?? [],
    })
    published[key] = { ...before, revision, state: 'withdrawn', readId: read.readId, frames: read.frames }
  }
  return hits
}

/** The vote was matched against the lists. */
export function noteChecked(pass: OpenPass, read: Read): void {
  pass.state.checked = { frames: read.frames, ts: read.tsLast }
}

/** An earlier tenure decided this revision of a hit of the pass: the next one continues from it. */
export function noteDecided(pass: OpenPass, { hit, readId, frames }: DecidedHit): void {
  const { revision, state, listName, listVersion, listLoadedAt, reason, priority } = hit
  pass.state.hits[keyOf(hit.list, hit.listedPlate)] = {
    revision,
    state,
    readId,
    frames,
    listed: { listName, listVersion, listLoadedAt, reason, priority },
  }
}

/** The revision that withdraws a hit whose vehicle is not read any more. */
export const withdrawalOf = (hit: Hit): Hit => ({
  ...hit,
  revision: hit.revision + 1,
  state: 'withdrawn',
  exact: false,
  probability: 0,
  tolerated: [],
})

/** The lowest probability at which this match is a hit. */
function neededBy({ list, exact }: ListMatch, published: boolean): number {
  return list.threshold * (exact ? EXACT_FROM : published ? WITHDRAW_BELOW : 1)
}

const keyOf = (list: string, plate: string): string => `${list}.${plate}`

export const hitIdOf = (readId: string, key: string): string => `${readId}.${key}`

/** The fields of the list. A special list is always informational (RV 426.6.4 c). */
function listedOf({ list, entry }: ListMatch, region: string): PublishedHit['listed'] {
  return {
    listName: list.name,
    listVersion: list.version,
    listLoadedAt: list.loadedAt,
    reason: reasonWithState(entry, region),
    priority: list.kind === 'special' ? 'informational' : list.priority,
  }
}

/**
 * The reason of an entry, with the state that it is listed for. Plates of two states may have one text: a person must
 * see it when the plate that was read is of another state.
 * @param region of the read, as ISO 3166 writes it; empty when unknown
 */
export function reasonWithState({ reason, region: listed }: ListMatch['entry'], region: string): string {
  if (!listed) return reason
  const other = isOtherState(listed, region) ? `; the plate read is of ${region}` : ''
  return `${reason ? `${reason} ` : ''}(listed for ${listed}${other})`
}

/** @param listed codes of states with or without their country, several after each other: `MT`, `US-MT`, `CA/NV` */
function isOtherState(listed: string, region: string): boolean {
  const stateOf = (code: string) => (/^[A-Z]{2}-([A-Z0-9]{1,3})$/.exec(code) ?? /^([A-Z]{2})$/.exec(code))?.[1]
  const read = region.includes('-') ? stateOf(region) : undefined
  const states = listed.split('/').map(stateOf)
  // Texts such as CALIFORNIA, and reads of which only the country is known, cannot be compared.
  return read !== undefined && states.every((state) => state !== undefined && state !== read)
}

/**
 * The id and the time of the first read name a hit for good: the store keeps one row of it. The other fields are those
 * of the read now.
 */
function common({ state: { followed } }: OpenPass, read: Read, camera: Camera, key: string, revision: number) {
  const { readId, ts } = followed ?? read
  return {
    hitId: hitIdOf(readId, key),
    revision,
    readId,
    plate: read.plate,
    confidence: read.confidence,
    alternates: read.alternates,
    region: read.region,
    camera: camera.id,
    cameraName: camera.name,
    lat: read.lat,
    lon: read.lon,
    heading: read.heading,
    direction: read.direction,
    ts: new Date(ts).toISOString(),
    tsLast: new Date(read.tsLast).toISOString(),
    publishedAt: new Date().toISOString(),
    module: read.module,
    model: read.model,
  }
}
