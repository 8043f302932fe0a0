import { MINUTE_MS } from '../model/time.js'
import { CameraPasses, type CameraJson, type PassRules } from '../passes/camera_passes.js'
import { pack, unpack, type Packed } from './packed.js'

/**
 * The state of a camera in a checkpoint, and of one that does not send, in memory:
 *
 *     | 4: minute since 1970 in which it was saved | 1: open passes | 1: whether all are stored | packed CameraJson |
 *
 * without the id of the camera.
 */
const HEAD = 6

export function saveState(passes: CameraPasses, now: number): Packed {
  return saveJson(passes.toJSON(), now, passes.openCount, passes.isStored)
}

/** Of a state that an earlier release saved: its passes count as not stored. */
export function saveEarlierState(json: CameraJson, now: number): Packed {
  return saveJson(json, now, CameraPasses.fromJSON(json, { gapMs: 0 }).openCount, false)
}

function saveJson(json: CameraJson, now: number, open: number, stored: boolean): Packed {
  const minute = Math.floor(now / MINUTE_MS)
  const head = [minute >>> 24, (minute >>> 16) & 0xff, (minute >>> 8) & 0xff, minute & 0xff, open, stored ? 1 : 0]
  // Joined, it is one string; added, it would be a tree of two.
  return [String.fromCharCode(...head), pack({ ...json, camera: undefined })].join('')
}

export const loadState = (camera: string, saved: Packed, rules: PassRules): CameraPasses =>
  CameraPasses.fromJSON({ ...(unpack(saved, HEAD) as CameraJson), camera }, rules)

/** The minute in which it was saved, as a time, ms. */
export const savedAt = (saved: Packed): number =>
  (saved.charCodeAt(0) * 2 ** 24 + saved.charCodeAt(1) * 2 ** 16 + saved.charCodeAt(2) * 2 ** 8 + saved.charCodeAt(3)) *
  MINUTE_MS

export const openPassesOf = (saved: Packed): number => saved.charCodeAt(4)

/** Whether its open passes are in the store as they are. */
export const isStored = (saved: Packed): boolean => saved.charCodeAt(5) === 1
