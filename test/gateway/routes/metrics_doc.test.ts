import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ENTRANCE } from '../../../engine/internal_mod.js'
import { engineMetrics } from '../../../gateway/status/engine_metrics.js'
import { ingestMetrics } from '../../../gateway/status/ingest_board.js'
import { startTestGateway } from '../fixtures/gateway.js'
import { makeStatus } from '../fixtures/status.js'

/** What docs/metrics.md lists under a heading: names without labels, and the names of bounds. */
function documented(heading: string): { names: string[]; bounds: string[] } {
  const section = readFileSync('docs/metrics.md', 'utf8')
    .split(/^## /m)
    .find((text) => text.startsWith(heading))!
  const rows = section.split('\n').filter((line) => /^\| `/.test(line))
  const codes = (text: string) => [...text.matchAll(/`([a-z_]+)(\{[^`]*\})?`/g)].map(([, name]) => name!)
  const bounds = rows.filter((row) => row.startsWith('| `bound_total')).flatMap((row) => codes(row.split('|')[2]!))
  return { names: rows.flatMap((row) => codes(row.split('|')[1]!)).sort(), bounds: bounds.sort() }
}

/**
 * The names that the sources of the engine, or of ingest processes, give to `count`, `gauge` (`add` for sums over
 * partitions) and `bound`.
 */
function used(process: 'engine' | 'ingest'): { counters: string[]; gauges: string[]; bounds: string[] } {
  const found = { count: new Set<string>(), gauge: new Set<string>(), bound: new Set<string>() }
  for (const file of readdirSync('engine', { recursive: true }).map(String)) {
    // The embedded store is a product of its own and counts nothing.
    if (!file.endsWith('.ts') || file.startsWith('chdb/') || file.startsWith('ingest/') !== (process === 'ingest'))
      continue
    const text = readFileSync(join('engine', file), 'utf8')
    for (const [, call, argument] of text.matchAll(/\b(count|gauge|add|bound|bounds\.push)\(([^,)]*)/g))
      for (const [, quoted, template] of argument!.matchAll(/'([a-z_]+)'|`([^`]+)`/g))
        for (const name of quoted === undefined ? filled(template!) : [quoted])
          found[call === 'count' ? 'count' : call!.startsWith('bound') ? 'bound' : 'gauge'].add(name)
  }
  const sorted = (names: Set<string>) => [...names].sort()
  return {
    counters: sorted(found.count).filter((name) => name.endsWith('_total')),
    gauges: sorted(found.gauge),
    bounds: sorted(found.bound),
  }
}

/** The names of a template, for both entrances, without the value that the gateway makes a label of. */
function filled(template: string): string[] {
  if (template.endsWith('${source.entrance.root}'))
    return Object.values(ENTRANCE).map(({ root }) => template.replace('${source.entrance.root}', root))
  return [template.replace(/_\$\{[^}]+\}_|\.\$\{[^}]+\}/, (value) => (value.startsWith('_') ? '_' : ''))]
}

t.test('docs/metrics.md lists every metric of the engine, and no other', async (t) => {
  const { counters, gauges, bounds } = used('engine')
  const documentedCounters = documented('Engine counters')
  t.same(documentedCounters.names, counters)
  t.same(documentedCounters.bounds, bounds)
  // The gateway adds some that it takes from other fields of a status.
  const added = engineMetrics([makeStatus({ counters: {}, gauges: {} })]).matchAll(/# TYPE alpr_engine_(\w+)/g)
  t.same(documented('Engine gauges').names, [...gauges, ...[...added].map(([, name]) => name!)].sort())
})

t.test('docs/metrics.md lists every metric of ingest processes, and no other', async (t) => {
  const { counters, gauges, bounds } = used('ingest')
  const state = { state: 'connected' as const, since: '', lastFrameAt: '2026-05-01T08:30:00Z', clockOffsetMs: 1 }
  const cameras = { a: { ...state, fps: 5, cameraFps: 5, spooled: 0 } }
  const text = ingestMetrics([{ instance: 'i', at: '', cameras, waiting: {}, counters: {}, gauges: {}, bounds: [] }])
  const ofCameras = [...text.matchAll(/# TYPE alpr_ingest_(\w+)/g)].map(([, name]) => name!)
  const all = [...counters, ...gauges, ...bounds.map((bound) => `bound_${bound}_total`), ...ofCameras]
  t.same(documented('Live cameras').names, all.sort())
})

t.test('docs/metrics.md lists every metric of the gateway, and no other', async (t) => {
  const { app } = await startTestGateway(t)
  const { body } = await app.inject({ url: '/metrics', remoteAddress: '127.0.0.1' })
  const names = [...body.matchAll(/# TYPE alpr_gateway_(\w+)/g)].map(([, name]) => name!)
  t.same(documented('Gateway').names, names.sort())
})
