import type { Camera } from '../frames/camera.js'
import type { Hit } from '../hit.js'
import type { ListMatch } from '../matching/lists_in_force.js'
import type { OpenPass } from '../passes/pass.js'
import type { Read } from '../read.js'

/** A vote is worth checking against the lists from this confidence on, or from this many frames, or when the pass closes. */
const SURE_ENOUGH = 0.6
const FRAMES_ENOUGH = 3

/** A match that was published stays until it falls clearly under the threshold, so that a hit does not flicker. */
const WITHDRAW_BELOW = 0.8

/** Whether the vote should be checked now: after frame 1, 2, 3, 4 and then at every half more, so that a parked car costs nothing. */
export function worthChecking(pass: OpenPass, confidence: number): boolean {
  const n = pass.state.frames
  const step = n <= 4 || n === 6 || n === 8 || n === 12 || Number.isInteger(Math.log2(n / 8)) || Number.isInteger(Math.log2(n / 12))
  return step && (confidence >= SURE_ENOUGH || n >= FRAMES_ENOUGH)
}

/**
 * The revisions that this look at the pass calls for, without their pictures. Updates `pass.state.hits`, which is part of the checkpoint: a
 * replay from there makes the same revisions under the same ids.
 *
 * @param closing the pass has ended: every hit gets its last revision
 */
export function makeHits(pass: OpenPass, read: Read, matches: readonly ListMatch[], camera: Camera, closing: boolean): Hit[] {
  const hits: Hit[] = []
  const published = pass.state.hits
  for (const match of matches) {
    const key = keyOf(match.list.id, match.entry.plate)
    const before = published[key]
    if (match.probability < match.list.threshold * (before ? WITHDRAW_BELOW : 1)) continue
    if (before?.state === 'possible' && (!closing || before.frames === read.frames)) continue
    hits.push(hitOf(read, match, camera, (before?.revision ?? 0) + 1))
    published[key] = { revision: (before?.revision ?? 0) + 1, state: 'possible', frames: read.frames }
  }
  for (const [key, before] of Object.entries(published)) {
    const still = matches.some((m) => keyOf(m.list.id, m.entry.plate) === key && m.probability >= m.list.threshold * WITHDRAW_BELOW)
    if (still || before.state === 'withdrawn') continue
    const match = matches.find((m) => keyOf(m.list.id, m.entry.plate) === key)
    published[key] = { revision: before.revision + 1, state: 'withdrawn', frames: read.frames }
    hits.push(withdrawalOf(read, key, match, camera, before.revision + 1))
  }
  return hits
}

const keyOf = (list: string, plate: string): string => `${list}.${plate}`

export const hitIdOf = (readId: string, key: string): string => `${readId}.${key}`

function hitOf(read: Read, match: ListMatch, camera: Camera, revision: number): Hit {
  const { list, entry } = match
  return {
    ...common(read, camera, keyOf(list.id, entry.plate), revision),
    state: 'possible',
    listedPlate: entry.plate, list: list.id, listName: list.name, listVersion: list.version, listLoadedAt: list.loadedAt,
    reason: entry.reason, priority: list.kind === 'special' ? 'informational' : list.priority,
    exact: match.exact, probability: match.probability, tolerated: match.tolerated,
  }
}

/** The entry may be gone from the list by now; what identifies the hit is in its key. */
function withdrawalOf(read: Read, key: string, match: ListMatch | undefined, camera: Camera, revision: number): Hit {
  const dot = key.indexOf('.')
  return {
    ...common(read, camera, key, revision),
    state: 'withdrawn',
    listedPlate: key.slice(dot + 1), list: key.slice(0, dot), listName: match?.list.name ?? '', listVersion: match?.list.version ?? '',
    listLoadedAt: match?.list.loadedAt ?? '', reason: match?.entry.reason ?? '', priority: match?.list.priority ?? 'low',
    exact: false, probability: match?.probability ?? 0, tolerated: match?.tolerated ?? [],
  }
}

function common(read: Read, camera: Camera, key: string, revision: number) {
  return {
    hitId: hitIdOf(read.readId, key), revision, readId: read.readId,
    plate: read.plate, confidence: read.confidence, alternates: read.alternates, region: read.region,
    camera: camera.id, cameraName: camera.name, lat: read.lat, lon: read.lon, heading: read.heading, direction: read.direction,
    ts: new Date(read.ts).toISOString(), tsLast: new Date(read.tsLast).toISOString(), publishedAt: new Date().toISOString(),
    module: read.module, model: read.model,
  }
}
