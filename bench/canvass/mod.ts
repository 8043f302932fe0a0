import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { pino } from 'pino'
import {
  type ClickHouseClient,
  createClient,
  DictionarySearch,
  loadSettings,
  migrate,
  SqlPlateSearch,
  StoreWriter,
} from '../../engine/mod.js'
import { launchStore } from '../../engine/store/front/mod.js'
import { startGateway } from '../../gateway/mod.js'
import { CASES, type Asked } from './cases.js'
import { freshReads } from './fresh_reads.js'
import { makeYear, settleYear, yearOf, type Year } from './year.js'

export const summary = 'questions about a year of reads over HTTP, beside hand-written SQL'

/**
 * Question: how long does an investigator wait, how much of it is ours, and what do twenty at once and a full stream of
 * writes do to it?
 *
 * Method: a generated year in an embedded store of its own process; gateway and client in this process, over loopback
 * HTTP. Each case is asked with other places, times and plates each time (seeded), once the gateway has loaded its
 * dictionary. Cold: the first ask of its kind after the store was started again (the system's page cache is not
 * dropped). Hot: the rest. By hand: the same question as SQL, sent to the store with the same client settings,
 * alternately with ours, so that both meet the same machine.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      reads: { type: 'string', default: '2000000' },
      data: { type: 'string', default: 'bench/data/canvass' },
      rounds: { type: 'string', default: '15' },
      json: { type: 'string' },
      investigators: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '20' },
      rate: { type: 'string', default: '5000' },
      memory: { type: 'string', default: '2147483648' },
    },
  })
  const year = yearOf(Number(values.reads))
  const rounds = Number(values.rounds)
  const path = `${values.data}-${year.reads}`
  const made = `${path}.made`
  const token = 'b'.repeat(64)
  const launch = () => launchStore({ path, token, maxMemoryBytes: Number(values.memory) })
  let store = await launch()
  const settings = loadSettings({
    env: {},
    overrides: {
      dataFolder: path,
      'clickhouse.database': 'bench',
      'gateway.port': 0,
      'clickhouse.maxMemoryBytes': Number(values.memory),
    },
  })
  const connect = () =>
    createClient(settings, { url: store.url, token }, { requestTimeoutMs: 3_600_000, maxConnections: 64 })
  let client = connect()
  const result: Record<string, unknown> = {
    benchmark: 'canvass',
    reads: year.reads,
    cameras: year.cameras,
    plates: year.plates,
  }
  try {
    await migrate(client, 'bench', undefined, ({ version, name }) => console.log(`schema ${version}: ${name}`))
    if (!existsSync(made)) {
      const start = performance.now()
      await makeYear(client, 'bench', year, (week) => {
        if (week % 10 === 0)
          console.log(`made ${week} of ${year.weeks} weeks, ${Math.round((performance.now() - start) / 1_000)} s`)
      })
      await settleYear(client, 'bench', year)
      writeFileSync(made, JSON.stringify({ seconds: Math.round((performance.now() - start) / 1_000) }))
    }
    result.made = JSON.parse(readFileSync(made, 'utf8'))
    // Again, and so with nothing in its caches.
    await client.close()
    await store.stop()
    store = await launch()
    client = connect()
    const size = await sizes(client)
    result.bytesARead = size
    console.log(
      `${year.reads} reads; bytes a read: ${Object.entries(size)
        .map(([name, bytes]) => `${name} ${bytes}`)
        .join(', ')}`,
    )
    const plates = (
      await rowsOf<{ plate: string }>(
        client,
        `SELECT plate FROM bench.plates GROUP BY plate HAVING sum(reads) BETWEEN 40 AND 90 ORDER BY sipHash64(plate) LIMIT 200`,
      )
    ).map(({ plate }) => plate)
    const gateway = await startGateway(settings, {
      nats: { url: 'nats://127.0.0.1:1' },
      clickhouse: { url: store.url, password: token },
      token,
      log: pino({ level: 'silent' }),
    })
    try {
      const ask = async ({ kind, body }: Asked): Promise<number> => {
        const start = performance.now()
        const response = await fetch(`${gateway.url}/api/canvass/${kind}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
        const text = await response.text()
        if (!response.ok) throw new Error(`${kind}: ${text.slice(0, 300)}`)
        return performance.now() - start
      }
      const hand = async ({ sql }: Asked): Promise<number> => {
        const start = performance.now()
        await (
          await client.query({
            query: sql,
            format: 'JSONEachRow',
            clickhouse_settings: { do_not_merge_across_partitions_select_final: 1 },
          })
        ).text()
        return performance.now() - start
      }
      await untilLoaded(`${gateway.url}/api/canvass/canvass`, token)
      result.cases = await singleCases(year, plates, rounds, ask, hand)
      result.pattern = await patternSearch(client, year)
      result.together = await together(client, year, plates, ask, {
        investigators: Number(values.investigators),
        seconds: Number(values.seconds),
        rate: Number(values.rate),
      })
      result.storeMemoryMiB = memoryOf(store.pid)
      console.log(
        `store's memory: ${JSON.stringify(result.storeMemoryMiB)} MiB; cap of one query ${Number(values.memory) / 1_048_576} MiB`,
      )
    } finally {
      await gateway.close()
    }
  } finally {
    await client.close()
    await store.stop()
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
  return result
}

type Timed = (asked: Asked) => Promise<number>

/**
 * Waits for the gateway's dictionary: at 100 million reads it loads for 20 s, on one of the cores. What comes before
 * that is `cold`, and not asked here.
 */
async function untilLoaded(url: string, token: string): Promise<void> {
  const body = JSON.stringify({
    windows: [{ from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:01Z' }],
    pattern: '7?B*',
    explain: true,
  })
  for (
    const until = performance.now() + 600_000;
    performance.now() < until;
    await new Promise((resolve) => setTimeout(resolve, 500))
  ) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body,
    })
    const { plan } = (await response.json()) as { plan: { facts: { way?: { search?: string } } } }
    if (plan.facts.way?.search === 'dictionary') return
  }
  throw new Error('the dictionary of plates was not loaded in ten minutes')
}

async function singleCases(
  year: Year,
  plates: readonly string[],
  rounds: number,
  ask: Timed,
  hand: Timed,
): Promise<object[]> {
  const rows: object[] = []
  console.log(
    `${'case'.padEnd(34)} ${['cold', 'p50', 'p95', 'SQL p50', 'SQL p95', 'ratio', 'goal p50/p95'].map((head) => head.padStart(9)).join('')}`,
  )
  for (const one of CASES) {
    const random = generator(99)
    const ours: number[] = []
    const theirs: number[] = []
    const cold = await ask(one.make(random, year, plates))
    for (let round = 0; round < rounds; round++) {
      const asked = one.make(random, year, plates)
      // In turn first and second: whoever comes second finds the blocks in memory.
      if (round % 2 === 0) {
        ours.push(await ask(asked))
        theirs.push(await hand(asked))
      } else {
        theirs.push(await hand(asked))
        ours.push(await ask(asked))
      }
    }
    const row = {
      name: one.name,
      cold: ms(cold),
      p50: ms(at(ours, 0.5)),
      p95: ms(at(ours, 0.95)),
      sqlP50: ms(at(theirs, 0.5)),
      sqlP95: ms(at(theirs, 0.95)),
      ratio: ms(at(ours, 0.5) / at(theirs, 0.5)),
      ...(one.p50 > 0 && { goalP50: one.p50, goalP95: one.p95 }),
    }
    rows.push(row)
    console.log(
      `${one.name.padEnd(34)} ${[row.cold, row.p50, row.p95, row.sqlP50, row.sqlP95, row.ratio].map((value) => String(value).padStart(9)).join('')}${(one.p50 ? `${one.p50}/${one.p95}` : '-').padStart(9)}`,
    )
  }
  return rows
}

/**
 * An unanchored pattern with one misread over all plates: the dictionary beside the best SQL there is for the same
 * answer.
 */
async function patternSearch(client: ClickHouseClient, year: Year): Promise<object> {
  const start = performance.now()
  const dictionary = await DictionarySearch.load(client, 'bench')
  const loadMs = performance.now() - start
  const patterns = ['*8BC1*~1', '*7?B4*~1', '*AB12*~1', '*K9Z*~1', '*5S5*~1']
  const wasm: number[] = []
  const sql: number[] = []
  const fuzzy: number[] = []
  const { parsePattern } = await import('../../wasm/mod.js')
  const inStore = new SqlPlateSearch('bench', async () => year.plates)
  const run = async <Row>(query: { render(): { query: string; params: Record<string, unknown> } }): Promise<Row[]> => {
    const { query: text, params } = query.render()
    return (await client.query({ query: text, query_params: params, format: 'JSONEachRow' })).json<Row>()
  }
  for (let round = 0; round < 3; round++) {
    for (const source of patterns) {
      const search = {
        pattern: parsePattern(source),
        source,
        lookAlikes: true,
        limit: 100,
        signal: AbortSignal.timeout(60_000),
      }
      wasm.push(await timed(() => dictionary.search(search, run)))
      sql.push(await timed(() => inStore.search(search, run)))
      const plain = source.slice(1, source.indexOf('*~')).replace('?', '.')
      fuzzy.push(
        await timed(async () => {
          await rowsOf(
            client,
            `SELECT plate FROM bench.plates WHERE multiFuzzyMatchAny(plate, 1, ['${plain}']) ORDER BY last DESC LIMIT 100`,
          )
        }),
      )
    }
  }
  const row = {
    plates: dictionary.size,
    loadMs: ms(loadMs),
    bytesAPlate: ms(dictionary.bytes / dictionary.size),
    wasmP50: ms(at(wasm, 0.5)),
    wasmP95: ms(at(wasm, 0.95)),
    regexP50: ms(at(sql, 0.5)),
    fuzzyP50: ms(at(fuzzy, 0.5)),
    faster: ms(Math.min(at(sql, 0.5), at(fuzzy, 0.5)) / at(wasm, 0.5)),
  }
  console.log(
    `unanchored pattern, one misread, ${row.plates} plates: dictionary p50 ${row.wasmP50} p95 ${row.wasmP95} ms; SQL match() ${row.regexP50}, multiFuzzyMatchAny ${row.fuzzyP50} ms; ${row.faster}x (goal: under 80 ms and 5x); loaded in ${row.loadMs} ms, ${row.bytesAPlate} bytes a plate`,
  )
  return row
}

/** Many at once while reads are written, beside the same mix asked by one alone. */
async function together(
  client: ClickHouseClient,
  year: Year,
  plates: readonly string[],
  ask: Timed,
  { investigators, seconds, rate }: { investigators: number; seconds: number; rate: number },
): Promise<object> {
  const mix = CASES.filter(({ name }) => !/a year|convoy/.test(name) || /history/.test(name))
  const quiet: number[] = []
  const random = generator(7)
  for (let i = 0; i < 40; i++) quiet.push(await ask(mix[i % mix.length]!.make(random, year, plates)))
  const busy: number[] = []
  const until = performance.now() + seconds * 1_000
  let written = 0
  const writer = new StoreWriter(client, 'bench')
  const lags: number[] = []
  const writing = (async () => {
    const begin = performance.now()
    for (let second = 0; performance.now() < until; second++) {
      const due = begin + second * 1_000
      if (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
      await writer.write({ reads: freshReads(year, second, rate), hits: [], ledger: [] })
      written += rate
      lags.push(performance.now() - due)
    }
  })()
  await Promise.all([
    writing,
    ...Array.from({ length: investigators }, async (_, who) => {
      const own = generator(1_000 + who)
      // A person reads an answer before asking the next: a second, on average.
      for (let i = who; performance.now() < until; i++) {
        await new Promise((resolve) => setTimeout(resolve, own() * 2_000))
        busy.push(await ask(mix[i % mix.length]!.make(own, year, plates)))
      }
    }),
  ])
  const row = {
    investigators,
    asked: busy.length,
    quietP50: ms(at(quiet, 0.5)),
    quietP95: ms(at(quiet, 0.95)),
    busyP50: ms(at(busy, 0.5)),
    busyP95: ms(at(busy, 0.95)),
    times: ms(at(busy, 0.95) / at(quiet, 0.95)),
    writtenASecond: Math.round(written / seconds),
    batchP95Ms: ms(at(lags, 0.95)),
  }
  console.log(
    `${investigators} investigators at once with ${row.writtenASecond} of ${rate} reads/s written: p95 ${row.busyP95} ms beside ${row.quietP95} quiet = ${row.times}x (goal 3x); a second's batch is durable after ${row.batchP95Ms} ms (p95)`,
  )
  return row
}

async function sizes(client: ClickHouseClient): Promise<Record<string, number>> {
  const rows = await rowsOf<{ table: string; bytes: string }>(
    client,
    "SELECT table, sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND database = 'bench' GROUP BY table",
  )
  const [{ n }] = (await rowsOf<{ n: string }>(client, 'SELECT count() AS n FROM bench.reads')) as [{ n: string }]
  const out = Object.fromEntries(
    rows.map(({ table, bytes }) => [table, ms(Number(bytes) / Number(n))]).filter(([, bytes]) => Number(bytes) > 0),
  )
  return { ...out, all: ms(rows.reduce((sum, { bytes }) => sum + Number(bytes), 0) / Number(n)) }
}

const rowsOf = async <Row>(client: ClickHouseClient, query: string): Promise<Row[]> =>
  (await client.query({ query, format: 'JSONEachRow' })).json<Row>()
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await work()
  return performance.now() - start
}
const ms = (value: number): number => Math.round(value * 10) / 10
const at = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN

function memoryOf(pid: number): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const of = (name: string) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1_024)
  return { now: of('VmRSS'), most: of('VmHWM') }
}

/** xorshift32. */
function generator(state: number): () => number {
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4_294_967_296
  }
}
