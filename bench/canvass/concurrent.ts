import { StoreWriter } from '../../engine/internal_mod.js'
import type { ClickHouseClient } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { xorshift } from '../random/xorshift.js'
import { quantile, tenths } from '../report/statistics.js'
import { CASES } from './cases.js'
import { freshReads } from './fresh_reads.js'
import type { Ask } from './questions.js'
import type { Year } from './year.js'

/** The cases of a usual day: none over a whole year but the history of a plate. */
const MIX = CASES.filter(({ name }) => !/a year|convoy/.test(name) || /history/.test(name))
const kQuietQuestions = 40

interface Load {
  investigators: number
  seconds: number
  /** Reads written per second. */
  rate: number
}

/** Many investigators at once while reads are written, beside the same mix asked by one alone. */
export async function measureConcurrently(
  client: ClickHouseClient,
  database: string,
  year: Year,
  plates: readonly string[],
  ask: Ask,
  { investigators, seconds, rate }: Load,
): Promise<object> {
  const askFromMix = (i: number, random: () => number) => ask(MIX[i % MIX.length]!.make(random, year, plates))
  const quiet: number[] = []
  const random = xorshift(7)
  for (let i = 0; i < kQuietQuestions; i++) quiet.push(await askFromMix(i, random))

  const until = performance.now() + seconds * 1_000
  const busy: number[] = []
  const investigate = async (who: number) => {
    const own = xorshift(1_000 + who)
    for (let i = who; performance.now() < until; i++) {
      // A person reads an answer before asking the next question: for a second, on average.
      await sleep(own() * 2_000)
      busy.push(await askFromMix(i, own))
    }
  }
  const [lags] = await Promise.all([
    writeReads(client, database, year, rate, until),
    ...Array.from({ length: investigators }, (_, who) => investigate(who)),
  ])
  const row = {
    investigators,
    asked: busy.length,
    quietP50: tenths(quantile(quiet, 0.5)),
    quietP95: tenths(quantile(quiet, 0.95)),
    busyP50: tenths(quantile(busy, 0.5)),
    busyP95: tenths(quantile(busy, 0.95)),
    times: tenths(quantile(busy, 0.95) / quantile(quiet, 0.95)),
    writtenASecond: Math.round((lags.length * rate) / seconds),
    batchP95Ms: tenths(quantile(lags, 0.95)),
  }
  console.log(`${investigators} investigators at once, ${row.writtenASecond} of ${rate} reads/s written:`)
  console.log(`  p95 ${row.busyP95} ms, ${row.times} times the ${row.quietP95} ms of one alone (goal: 3 times)`)
  console.log(`  a second's batch of reads is durable after ${row.batchP95Ms} ms (p95)`)
  return row
}

/** Writes a batch of reads each second. @returns how long after its second each batch was durable, ms */
async function writeReads(
  client: ClickHouseClient,
  database: string,
  year: Year,
  rate: number,
  until: number,
): Promise<number[]> {
  const writer = new StoreWriter(client, database)
  const lags: number[] = []
  const start = performance.now()
  for (let second = 0; performance.now() < until; second++) {
    const due = start + second * 1_000
    if (performance.now() < due) await sleep(due - performance.now())
    await writer.write({ reads: freshReads(year, second, rate), hits: [], ledger: [] })
    lags.push(performance.now() - due)
  }
  return lags
}
