import type { ClickHouseClient } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { framesStored } from '../system/ledger.js'

/**
 * Waits until the ledger has `count` reads. @returns reads stored per second, by second
 * @throws when the ledger does not grow for 90 s
 */
export async function ratesUntilStored(store: ClickHouseClient, count: number): Promise<number[]> {
  const rates: number[] = []
  let [last, at, grewAt] = [await framesStored(store), performance.now(), performance.now()]
  for (;;) {
    await sleep(1_000)
    const [now, then] = [await framesStored(store), performance.now()]
    if (now > last) {
      rates.push(((now - last) * 1_000) / (then - at))
      grewAt = then
    } else if (then - grewAt > 90_000) throw new Error(`the ledger stays at ${now} of ${count} reads`)
    ;[last, at] = [now, then]
    // The last interval is only part of a second.
    if (now >= count) return rates.length > 2 ? rates.slice(0, -1) : rates
  }
}
