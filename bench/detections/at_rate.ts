import type { Hit } from '../../engine/mod.js'
import { Latency } from '../report/latency.js'
import type { BenchSystem } from '../system/system.js'
import type { SendOrder, Sent } from './sender.js'
import { ratesUntilStored } from './stored_rates.js'

export interface Paced {
  latency: Latency
  /** Reads sent. */
  count: number
  /** By how much the sender fell behind its pace at most, ms. */
  lateMs: number
  /** From the last send until the last read was stored, ms. */
  behindMs: number
}

/** Sends `offered` reads a second; the delay of a hit counts from its intended send time. */
export async function sendAtRate(
  system: BenchSystem,
  send: (order: Pick<SendOrder, 'count' | 'perSecond' | 'seed'>) => Promise<Sent>,
  offered: number,
  seconds: number,
  storedBefore: number,
): Promise<Paced> {
  const latency = new Latency()
  const since = Date.now()
  const hits = system.connection.subscribe('hits.>', {
    callback: (_, message) => {
      const { revision, tsLast } = message.json<Hit>()
      if (revision === 1 && Date.parse(tsLast) >= since) latency.add(Date.now() - Date.parse(tsLast))
    },
  })
  const count = offered * seconds
  let sentAt = 0
  const [sent] = await Promise.all([
    send({ count, perSecond: offered, seed: 3 }).then((done) => {
      sentAt = Date.now()
      return done
    }),
    ratesUntilStored(system.store, storedBefore + count),
  ])
  const behindMs = Date.now() - sentAt
  hits.unsubscribe()
  return { latency, count, lateMs: sent.lateMs, behindMs }
}
