import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type ClickHouseClient, createClient, loadSettings, migrate, type Settings } from '../../engine/mod.js'
import { launchStore } from '../../engine/chdb/mod.js'
import { defineBenchmark, number, optionalText, text, type Values } from '../benchmark.js'
import { rowsOf } from '../system/ledger.js'
import { memoryOf } from '../system/usage.js'
import { CASES } from './cases.js'
import { measureConcurrently } from './concurrent.js'
import { type CanvassResult, measuredOf } from './figures.js'
import { measurePatternSearch, kPatternGoal } from './pattern_search.js'
import { startAsking } from './questions.js'
import { measureSingleCases } from './single_cases.js'
import { bytesPerRead } from './sizes.js'
import { makeYear, settleYear, yearOf, type Year } from './year.js'

const DATABASE = 'bench'
const TOKEN = 'b'.repeat(64)

const OPTIONS = {
  reads: number(2_000_000, 'reads in the generated year', 1),
  data: text('FOLDER', 'bench/data/canvass', 'where the year is kept for later runs; the number of reads is appended'),
  rounds: number(15, 'times that each case is asked', 1),
  investigators: number(20, 'investigators who ask at the same time', 1),
  seconds: number(20, 'length of the part with many investigators', 1),
  rate: number(5_000, 'reads/s written meanwhile', 1),
  memory: number(2_147_483_648, "the store's memory limit, bytes", 1),
  json: optionalText('FILE', 'also write the whole result to this file'),
}

export const benchmark = defineBenchmark({
  question: `How long does an investigator wait, how much of that is ours rather than the store's, and what do twenty
    investigators at once and a full stream of writes change?`,
  method: `A generated year of reads in an embedded store, a separate process; gateway and client in this process, over
    loopback HTTP. Each case is asked with other areas, times and plates each time (seeded), once the gateway has loaded
    its dictionary of plates. Cold: the first question of its kind after a restart of the store (the system's page cache
    is not dropped). Hot: the others. By hand: the same question as SQL, sent to the store with the same client
    settings, alternating with ours, so that both meet the same machine.`,
  options: OPTIONS,
  goals: [
    ...CASES.filter(({ p50 }) => p50 > 0).map(({ name, p50, p95 }) => `${name}: p50 ${p50} ms, p95 ${p95} ms`),
    'each case, as a multiple of the SQL by hand: at most 1.5',
    'bytes a read, all tables: at most 45',
    `unanchored pattern: ${kPatternGoal}`,
    'p95 with many investigators, as a multiple of one alone: at most 3',
  ],
  async run(values) {
    const year = yearOf(values.reads)
    const path = `${values.data}-${year.reads}`
    const settings = loadSettings({
      env: {},
      overrides: {
        dataFolder: path,
        'clickhouse.database': DATABASE,
        'gateway.port': 0,
        'clickhouse.maxMemoryBytes': values.memory,
      },
    })
    const open = () => openStore(path, settings, values.memory)
    const made = await prepareYear(await open(), year, `${path}.made`)
    // The restart leaves the store with empty caches.
    const opened = await open()
    try {
      const result = { benchmark: 'canvass', made, ...(await measure(opened, settings, year, values)) }
      if (values.json) writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`)
      return measuredOf(result)
    } finally {
      await opened.close()
    }
  },
})

interface OpenStore {
  client: ClickHouseClient
  url: string
  pid: number
  close(): Promise<void>
}

async function openStore(path: string, settings: Settings, maxMemoryBytes: number): Promise<OpenStore> {
  const store = await launchStore({ path, token: TOKEN, maxMemoryBytes })
  const client = createClient(
    settings,
    { url: store.url, token: TOKEN },
    { requestTimeoutMs: 3_600_000, maxConnections: 64 },
  )
  const close = async () => {
    await client.close()
    await store.stop()
  }
  return { client, url: store.url, pid: store.pid, close }
}

/** Generates the year unless an earlier run did (`marker`), and closes the store. @returns the marker's content */
async function prepareYear({ client, close }: OpenStore, year: Year, marker: string): Promise<unknown> {
  try {
    await migrate(client, DATABASE, undefined, ({ version, name }) => console.log(`schema ${version}: ${name}`))
    if (!existsSync(marker)) {
      const start = performance.now()
      const seconds = () => Math.round((performance.now() - start) / 1_000)
      await makeYear(client, DATABASE, year, (week) => {
        if (week % 10 === 0) console.log(`made ${week} of ${year.weeks} weeks, ${seconds()} s`)
      })
      await settleYear(client, DATABASE, year)
      writeFileSync(marker, JSON.stringify({ seconds: seconds() }))
    }
    return JSON.parse(readFileSync(marker, 'utf8'))
  } finally {
    await close()
  }
}

async function measure(
  { client, url, pid }: OpenStore,
  settings: Settings,
  year: Year,
  { rounds, investigators, seconds, rate, memory }: Values<typeof OPTIONS>,
): Promise<CanvassResult> {
  const bytesARead = await bytesPerRead(client, DATABASE)
  const tables = Object.entries(bytesARead).map(([name, bytes]) => `${name} ${bytes}`)
  console.log(`${year.reads} reads; bytes a read: ${tables.join(', ')}`)
  const plates = await frequentPlates(client)
  const asking = await startAsking(settings, client, { url, token: TOKEN })
  try {
    const cases = await measureSingleCases(year, plates, rounds, asking)
    const pattern = await measurePatternSearch(client, DATABASE, year)
    const together = await measureConcurrently(client, DATABASE, year, plates, asking.ask, {
      investigators,
      seconds,
      rate,
    })
    const storeMemoryMiB = memoryOf(pid)
    const { now, most } = storeMemoryMiB
    console.log(`the store's memory: ${now} MiB now, ${most} MiB at most; its limit: ${memory / 1_048_576} MiB`)
    const { reads, cameras } = year
    return { reads, cameras, plates: year.plates, bytesARead, cases, pattern, together, storeMemoryMiB }
  } finally {
    await asking.close()
  }
}

/** 200 plates that were read 40 to 90 times. */
async function frequentPlates(client: ClickHouseClient): Promise<string[]> {
  const rows = await rowsOf<{ plate: string }>(
    client,
    `SELECT plate FROM ${DATABASE}.plates
     GROUP BY plate HAVING sum(reads) BETWEEN 40 AND 90 ORDER BY sipHash64(plate) LIMIT 200`,
  )
  return rows.map(({ plate }) => plate)
}
