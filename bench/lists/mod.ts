import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NatsConnection } from 'nats'
import { ListsInForce, Metrics } from '../../engine/internal_mod.js'
import { connectNats, setupNats, startPrivateServer } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { loadMatcher } from '../../wasm/internal_mod.js'
import { defineBenchmark, number } from '../benchmark.js'
import { Plates, STATE_SHAPES } from '../random/plates.js'
import { lower, type Figure } from '../report/result.js'
import { memoryOf } from '../system/usage.js'
import { writeListFile } from './list_file.js'
import { longest, PauseWatch, type Pause } from './pauses.js'

const CLI = new URL('../../cli/main.js', import.meta.url).pathname
const TOKEN = 'b'.repeat(32)
const kGoalImportSeconds = 60
const kGoalPauseMs = 50
/** The main thread is watched this long without a load, for comparison, ms. */
const kQuietMs = 5_000

interface Imported {
  importSeconds: number
  importMemoryMiB: number
  /** From the storage of the record to the first read that is matched against it, seconds. */
  inForceSeconds: number
  pauses: Pause[]
}

export const benchmark = defineBenchmark({
  question: `How long does the import of a large hot list take, how long until an engine matches reads against it, and
    how long does loading it hold up the reads meanwhile?`,
  method: `A private nats-server. platestream hotlist import runs as a process of its own; an engine's lists run in this
    one, whose main thread matches a read every 10 ms against what is in force. A timer of 2 ms finds the pauses of the
    main thread, from the start of the import until a second after the list is in force. A pause is given as it is, and
    as the time that the thread itself computed: on two cores, which the import and the compiling thread use too, the
    rest is waiting for a core. Each list is imported twice: the second file replaces the first, and the version that it
    brings applies only after the lead time of a replacement. The same watch runs without a load, for comparison.`,
  options: {
    small: number(1_000_000, 'entries of the first list', 1),
    large: number(5_000_000, 'entries of the second list', 1),
  },
  goals: [
    `import of the large list: within ${kGoalImportSeconds} s`,
    `longest pause that the main thread computes during any load: at most ${kGoalPauseMs} ms`,
  ],
  async run({ small, large }) {
    const folder = await mkdtemp(join(tmpdir(), 'platestream-bench-'))
    const server = await startPrivateServer({ folder: join(folder, 'nats'), token: TOKEN, partitions: 4 })
    const connection = await connectNats({ url: server.url, token: TOKEN, name: 'bench' })
    const metrics = new Metrics()
    const log = { info: () => {}, warn: (fields: object, text: string) => console.error(text, fields) }
    const lists = new ListsInForce(await loadMatcher(), metrics, log)
    try {
      await setupNats(connection, { framesMaxBytes: 1_073_741_824 })
      await lists.follow(connection)
      const matching = matchReads(lists)
      const quiet = new PauseWatch()
      await sleep(kQuietMs)
      const quietPauses = quiet.stop()
      const results: [name: string, entries: number, result: Imported][] = []
      for (const [size, entries] of [
        ['small', small],
        ['large', large],
      ] as const)
        for (const round of ['first', 'replaced']) {
          const file = join(folder, `${size}.csv`)
          await writeListFile(file, entries, round === 'first' ? 1 : 2)
          const result = await importOne(connection, lists, server.url, size, file)
          const name = `${text(entries)}, ${round}`
          console.log(
            `${name}: import ${result.importSeconds.toFixed(1)} s, ${result.importMemoryMiB} MiB; in force after ` +
              `${result.inForceSeconds.toFixed(1)} s; ` +
              `longest pause ${longest(result.pauses, 'waited').toFixed(1)} ms, ` +
              `${longest(result.pauses, 'computed').toFixed(1)} ms computed`,
          )
          results.push([name, entries, result])
        }
      matching.stop()
      return {
        workload: { small, large },
        figures: [
          ...results.flatMap(([name, entries, result]) => figuresOf(name, entries, large, result)),
          ...pauseFigures('no load', quietPauses),
        ],
        panels: [
          {
            kind: 'lines' as const,
            title: 'most that the main thread computes without a break, in each tenth of a second from the import on',
            x: { label: 'seconds' },
            y: { label: 'ms' },
            lines: [['no load', 0, { pauses: quietPauses }] as const, ...results].map(([name, , { pauses }]) => ({
              name,
              points: pauses.map(({ at, computed }): [number, number] => [at / 1_000, computed]),
            })),
            goal: kGoalPauseMs,
          },
        ],
        raw: { memoryMiB: memoryOf(process.pid) },
      }
    } finally {
      lists.stop()
      await connection.close()
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
  },
})

async function importOne(
  connection: NatsConnection,
  lists: ListsInForce,
  url: string,
  list: string,
  file: string,
): Promise<Imported> {
  const before = lists.versions[list]
  const importing = runImport(url, list, file)
  // Starting a process holds up this thread too; no engine does that.
  const watch = new PauseWatch()
  const { seconds, memoryMiB } = await importing
  while (lists.versions[list] === before) await sleep(5)
  const kv = await connection.jetstream().views.kv('HOTLISTS', { bindOnly: true })
  const stored = (await kv.get(list))!.created.getTime()
  const version = lists.versionAt(Infinity)
  while (lists.versionAt(Date.now()) !== version) await sleep(5)
  const inForce = Date.now()
  await sleep(1_000)
  return {
    importSeconds: seconds,
    importMemoryMiB: memoryMiB,
    inForceSeconds: (inForce - stored) / 1_000,
    pauses: watch.stop(),
  }
}

/** Runs `platestream hotlist import`. @returns how long it took and its peak memory */
async function runImport(url: string, list: string, file: string): Promise<{ seconds: number; memoryMiB: number }> {
  const start = performance.now()
  const child = spawn(process.execPath, [CLI, 'hotlist', 'import', file, '--list', list, '--json'], {
    env: { ...process.env, NATS_URL: url, PLATESTREAM_NATS_TOKEN: TOKEN },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let memoryMiB = 0
  const sampling = setInterval(() => {
    try {
      memoryMiB = Math.max(memoryMiB, memoryOf(child.pid!).most)
    } catch {
      /* it has ended */
    }
  }, 100)
  const [code] = (await once(child, 'exit')) as [number]
  clearInterval(sampling)
  if (code !== 0) throw new Error(`the import of ${file} exited with ${code}`)
  return { seconds: (performance.now() - start) / 1_000, memoryMiB }
}

/** Matches a read every 10 ms, as an engine does. */
function matchReads(lists: ListsInForce): { stop(): void } {
  const random = new Plates(3)
  const timer = setInterval(() => {
    const plate = random.text(random.pick(STATE_SHAPES))
    lists.check({ positions: random.read(plate, 0.95), plate, ts: Date.now(), region: '' }, Date.now())
  }, 10)
  return { stop: () => clearInterval(timer) }
}

function figuresOf(name: string, entries: number, large: number, result: Imported): Figure[] {
  const goal = entries === large ? kGoalImportSeconds : undefined
  return [
    lower(`import, ${name}`, result.importSeconds, 's', goal),
    lower(`memory of the import, ${name}`, result.importMemoryMiB, 'MiB'),
    lower(`stored to in force, ${name}`, result.inForceSeconds, 's'),
    ...pauseFigures(name, result.pauses),
  ]
}

const pauseFigures = (name: string, pauses: readonly Pause[]): Figure[] => [
  lower(`longest computed pause, ${name}`, longest(pauses, 'computed'), 'ms', kGoalPauseMs),
  lower(`longest pause, ${name}`, longest(pauses, 'waited'), 'ms'),
]

const text = (entries: number): string => (entries % 1_000_000 === 0 ? `${entries / 1_000_000} M` : String(entries))
