import { readFile } from 'node:fs/promises'
import t from 'tap'
import { Metrics } from '../../engine/internal_mod.js'
import { schemaStatements } from '../../engine/mod.js'
import { engineMetrics } from '../../gateway/mod.js'
import { startTestGateway } from '../gateway/fixtures/gateway.js'

/** Every metric name in a text, with its prefix. */
const namesIn = (text: string): string[] => [...new Set(text.match(/\balpr_[a-z_]+\b/g) ?? [])].sort()

/** Names that docs/metrics.md lists, with their prefix. A gateway test compares that page with the metrics. */
async function documented(): Promise<Set<string>> {
  const names = new Set<string>()
  let prefix = ''
  for (const line of (await readFile('docs/metrics.md', 'utf8')).split('\n')) {
    if (line.startsWith('## Engine')) prefix = 'alpr_engine_'
    else if (line.startsWith('## Gateway')) prefix = 'alpr_gateway_'
    else if (line.startsWith('|'))
      for (const [, name] of line.split('|')[1]!.matchAll(/`([a-z_]+)(?:\{[^`]*)?`/g)) names.add(`${prefix}${name!}`)
  }
  return names
}

t.test('every metric in the dashboard and the alerts exists', async (t) => {
  const known = await documented()
  const gateway = await startTestGateway(t)
  const text = await (await fetch(`${gateway.url}/metrics`)).text()
  for (const file of ['deploy/grafana/platestream.json', 'deploy/prometheus/alerts.yml']) {
    const names = namesIn(await readFile(file, 'utf8'))
    t.ok(names.length > 10, `${file}: ${names.length} metrics`)
    for (const name of names) {
      t.ok(known.has(name), `${name} is in docs/metrics.md`)
      if (name.startsWith('alpr_gateway_')) t.match(text, `\n# TYPE ${name} `, `${name} is in /metrics`)
    }
  }
})

t.test('the engine counts every engine metric in the dashboard and the alerts', async (t) => {
  const { readdir } = await import('node:fs/promises')
  const sources = await Promise.all(
    (await readdir('engine', { recursive: true }))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFile(`engine/${file}`, 'utf8')),
  )
  const code = sources.join('\n')
  const names = [
    ...namesIn(await readFile('deploy/grafana/platestream.json', 'utf8')),
    ...namesIn(await readFile('deploy/prometheus/alerts.yml', 'utf8')),
  ]
  for (const name of new Set(
    names.filter((one) => one.startsWith('alpr_engine_')).map((one) => one.slice('alpr_engine_'.length)),
  )) {
    if (['dead_total', 'bound_total', 'partitions'].includes(name)) continue
    t.ok(new RegExp(`['"\`]${name}\\b`).test(code), `${name} is counted`)
  }
  const metrics = new Metrics()
  metrics.count('dead_ALPR_ERR_FRAME_EMPTY_total')
  metrics.bound('open_passes')
  const text = engineMetrics([
    {
      instance: 'a',
      at: new Date(0).toISOString(),
      waiting: {},
      partitions: ['frames-2-1'],
      allPartitions: ['frames-2-0', 'frames-2-1'],
      workers: 1,
      module: '',
      model: '',
      counters: metrics.counters,
      gauges: {},
      bounds: [],
    },
  ])
  t.match(text, 'alpr_engine_dead_total{instance="a",code="ALPR_ERR_FRAME_EMPTY"} 1')
  t.match(text, 'alpr_engine_bound_total{instance="a",bound="open_passes"} 1')
  t.match(text, 'alpr_engine_partitions{instance="a"} 1')
})

t.test('dashboard panels have unique ids and positions and query the chosen data source', async (t) => {
  const { panels, templating } = JSON.parse(await readFile('deploy/grafana/platestream.json', 'utf8')) as {
    panels: {
      id: number
      type: string
      gridPos: object
      datasource?: { uid: string }
      targets?: { expr: string }[]
    }[]
    templating: { list: { name: string }[] }
  }
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  t.equal(new Set(panels.map(({ gridPos }) => JSON.stringify(gridPos))).size, panels.length)
  t.same(
    templating.list.map(({ name }) => name),
    ['datasource'],
  )
  for (const { type, datasource, targets } of panels)
    if (type !== 'row')
      t.ok(datasource?.uid === '${datasource}' && targets?.every(({ expr }) => expr.includes('alpr_')))
})

t.test('every alert says what happened and what to do', async (t) => {
  const rules = (await readFile('deploy/prometheus/alerts.yml', 'utf8')).split('- alert: ').slice(1)
  t.ok(rules.length >= 10)
  for (const rule of rules)
    t.ok(
      ['expr:', 'severity:', 'summary:', 'action:'].every((key) => rule.includes(key)),
      rule.split('\n', 1)[0]!,
    )
})

t.test('deploy/clickhouse/schema.sql is the cluster schema of the program', async (t) => {
  const file = await readFile('deploy/clickhouse/schema.sql', 'utf8')
  t.equal(
    file,
    schemaStatements('platestream', { kind: 'cluster', cluster: 'platestream' })
      .map((statement) => `${statement};\n\n`)
      .join(''),
    'platestream store migrate --print --cluster platestream > deploy/clickhouse/schema.sql',
  )
})
