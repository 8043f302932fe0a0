import type { EngineStatus } from '../engine/status.js'

/** Names that one engine may bring; more are cut off, because every name is memory in every Prometheus. */
const MAX_NAMES = 500
const NAME = /^([a-z][a-z0-9_]{0,80})(\{[a-z][a-z0-9_]*="[^"\\\n]{0,200}"(?:,[a-z][a-z0-9_]*="[^"\\\n]{0,200}")*\})?$/

/** Counters and gauges of the engines as Prometheus text, `alpr_<name>{instance="..."}`. A key may carry labels of its own: `name{label="value"}`. */
export function engineMetrics(statuses: EngineStatus[]): string {
  const families = new Map<string, { type: 'counter' | 'gauge'; lines: string[] }>()
  for (const { instance, counters, gauges, at, workers, partitions } of statuses) {
    const label = `instance="${instance.replace(/["\\\n]/g, '_').slice(0, 64)}"`
    const add = (type: 'counter' | 'gauge', values: Record<string, number>) => {
      for (const [key, value] of Object.entries(values).slice(0, MAX_NAMES)) {
        const [, name, labels] = NAME.exec(key) ?? []
        if (!name || typeof value !== 'number') continue
        const family = families.get(name) ?? { type, lines: [] }
        families.set(name, family)
        family.lines.push(`alpr_${name}{${label}${labels ? `,${labels.slice(1, -1)}` : ''}} ${value}`)
      }
    }
    add('counter', counters)
    add('gauge', gauges)
    add('gauge', { engine_workers: workers, engine_partitions: partitions?.length ?? 0, engine_status_seconds: Date.parse(at) / 1_000 })
  }
  return [...families].map(([name, { type, lines }]) => `# TYPE alpr_${name} ${type}\n${lines.join('\n')}\n`).join('')
}
