import { sleep } from '../../engine/runtime/mod.js'

/**
 * Calls `send` `count` times at `perSecond`, each with its intended time (ms since 1970, with fractions), and does not
 * wait for the work that a call starts: a slow system gets no pause. @returns how late the latest call was, ms
 */
export async function atPace(
  perSecond: number,
  count: number,
  send: (index: number, intended: number) => void,
  start = Date.now() + 100,
): Promise<number> {
  let late = 0
  for (let i = 0; i < count; ) {
    const now = Date.now()
    const due = Math.min(count, Math.floor(((now - start) * perSecond) / 1_000) + 1)
    for (; i < due; i++) {
      const intended = start + (i * 1_000) / perSecond
      late = Math.max(late, now - intended)
      send(i, intended)
    }
    if (i < count) await sleep(Math.max(1, start + (i * 1_000) / perSecond - Date.now()))
  }
  return late
}
