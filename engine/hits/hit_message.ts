import type { Hit } from '../model/hit.js'

/** What is left out of a hit that is too large, the least important first. The store keeps the hit as published. */
const CUTS: ((hit: Hit) => Hit)[] = [
  (hit) => ({ ...hit, reason: shortened(hit.reason) }),
  (hit) => ({ ...hit, alternates: [] }),
  (hit) => ({ ...hit, tolerated: [] }),
  (hit) => ({ ...hit, listName: shortened(hit.listName), cameraName: shortened(hit.cameraName) }),
]

/** Characters that are left of a text that is cut. */
const SHORT = 40

const shortened = (text: string): string => (text.length > SHORT ? `${text.slice(0, SHORT - 1)}…` : text)

/** A hit as it is published, and its JSON. */
export interface HitMessage {
  hit: Hit
  payload: string
  /** A part was left out. */
  cut: boolean
}

/**
 * The hit as a message of at most `limit` bytes. The hit itself always fits into a server's usual limit of 1 MiB; on a
 * server with a lower one, parts are left out.
 * @returns undefined when not even what identifies the hit fits
 */
export function hitMessage(hit: Hit, limit: number): HitMessage | undefined {
  let fitted = hit
  for (let cuts = 0; ; cuts++) {
    const payload = JSON.stringify(fitted)
    if (Buffer.byteLength(payload) <= limit) return { hit: fitted, payload, cut: cuts > 0 }
    const cut = CUTS[cuts]
    if (!cut) return undefined
    fitted = cut(fitted)
  }
}
