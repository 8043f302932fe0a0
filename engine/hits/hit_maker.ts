import type { Camera } from '../model/camera.js'
import type { Hit } from '../model/hit.js'
import type { ListMatch } from '../hotlists/list_match.js'
import type { OpenPass, PublishedHit } from '../passes/pass.js'
import type { Read } from '../model/read.js'

/**
 * A vote is worth checking against the lists from this confidence on, or from this many frames, or when the pass
 * closes.
 */
const SURE_ENOUGH = 0.6
const FRAMES_ENOUGH = 3

/** A match that was published stays until it falls clearly under the threshold, so that a hit does not flicker. */
const WITHDRAW_BELOW = 0.8
/**
 * When the voted text is the listed plate, character by character, a blurred picture is no reason to keep it from a
 * person's eyes.
 */
const EXACT_FROM = 0.5

/**
 * Whether a check is due at all: after frame 1, 2, 3, 4 and then at every half more. Asked before the vote is read out,
 * so that a parked car costs nothing.
 */
export function dueForCheck(frames: number): boolean {
  return (
    frames <= 4 ||
    frames === 6 ||
    frames === 8 ||
    frames === 12 ||
    Number.isInteger(Math.log2(frames / 8)) ||
    Number.isInteger(Math.log2(frames / 12))
  )
}

/** Whether the vote should be checked against the lists now. */
export function worthChecking(pass: OpenPass, confidence: number): boolean {
  const { frames } = pass.state
  return dueForCheck(frames) && (confidence >= SURE_ENOUGH || frames >= FRAMES_ENOUGH)
}

/**
 * The revisions that this look at the pass calls for, without their pictures. Updates `pass.state.hits`, which is part
 * of the checkpoint: a replay from there makes the same revisions under the same ids.
 *
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
  for (const match of matches) {
    const key = keyOf(match.list.id, match.entry.plate)
    const before = published[key]
    if (match.probability < neededBy(match, before !== undefined)) continue
    if (before?.state === 'possible' && (!closing || before.frames === read.frames)) continue
    const revision = (before?.revision ?? 0) + 1
    const listed = listedOf(match)
    hits.push({
      ...common(read, camera, key, revision),
      ...listed,
      state: 'possible',
      listedPlate: match.entry.plate,
      list: match.list.id,
      exact: match.exact,
      probability: match.probability,
      tolerated: match.tolerated,
    })
    published[key] = { revision, state: 'possible', frames: read.frames, listed }
  }
  for (const [key, before] of Object.entries(published)) {
    const still = matches.some((m) => keyOf(m.list.id, m.entry.plate) === key && m.probability >= neededBy(m, true))
    if (still || before.state === 'withdrawn') continue
    const match = matches.find((m) => keyOf(m.list.id, m.entry.plate) === key)
    const revision = before.revision + 1
    const dot = key.indexOf('.')
    hits.push({
      ...common(read, camera, key, revision),
      ...before.listed,
      state: 'withdrawn',
      listedPlate: key.slice(dot + 1),
      list: key.slice(0, dot),
      exact: false,
      probability: match?.probability ?? 0,
      tolerated: match?.tolerated ?? [],
    })
    published[key] = { ...before, revision, state: 'withdrawn', frames: read.frames }
  }
  return hits
}

/** Probability from which this match is a hit. */
function neededBy({ list, exact }: ListMatch, published: boolean): number {
  return list.threshold * (exact ? EXACT_FROM : published ? WITHDRAW_BELOW : 1)
}

const keyOf = (list: string, plate: string): string => `${list}.${plate}`

export const hitIdOf = (readId: string, key: string): string => `${readId}.${key}`

/** A special list is informational whatever its record says (RV 426.6.4 c). */
function listedOf({ list, entry }: ListMatch): PublishedHit['listed'] {
  return {
    listName: list.name,
    listVersion: list.version,
    listLoadedAt: list.loadedAt,
    reason: entry.reason,
    priority: list.kind === 'special' ? 'informational' : list.priority,
  }
}

function common(read: Read, camera: Camera, key: string, revision: number) {
  return {
    hitId: hitIdOf(read.readId, key),
    revision,
    readId: read.readId,
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
    ts: new Date(read.ts).toISOString(),
    tsLast: new Date(read.tsLast).toISOString(),
    publishedAt: new Date().toISOString(),
    module: read.module,
    model: read.model,
  }
}
