import type { EngineStatus } from '../../engine/mod.js'

/** Names that one engine may report; the rest is ignored, because every name costs memory in every Prometheus. */
const MAX_NAMES = 500
/** `frames_total`, or with one label value after a dot: `hot_list_age_seconds.svs`. */
const NAME = /^([a-z][a-z0-9_]{0,80})(?:\.([^"\\\n]{1,200}))?$/
/** Counters whose name includes a value. It becomes a label, so that Prometheus can sum over the family. */
const FAMILIES: [pattern: RegExp, name: string, label: string][] = [
  [/^dead_(ALPR_ERR_[A-Z_]+)_total$/, 'dead_total', 'code'],
  [/^bound_([a-zA-Z0-9_]+)_total$/, 'bound_total', 'bound'],
]

/** The engines' counters and gauges as Prometheus text, `alpr_engine_<name>{instance="..."}`. */
export function engineMetrics(statuses: EngineStatus[]): string {
  const families = new Map<string, { type: 'counter' | 'gauge'; lines: string[] }>()
  for (const { instance, counters, gauges, at, workers, partitions } of statuses) {
    const add = (type: 'counter' | 'gauge', values: Record<string, number>) => {
      for (const [key, value] of Object.entries(values).slice(0, MAX_NAMES)) {
        const metric = metricOf(key)
        if (!metric || typeof value !== 'number') continue
        const family = families.get(metric.name) ?? { type, lines: [] }
        families.set(metric.name, family)
        family.lines.push(`alpr_engine_${metric.name}{instance="${labelOf(instance)}"${metric.label}} ${value}`)
      }
    }
    add('counter', counters)
    add('gauge', gauges)
    add('gauge', { workers, partitions: partitions?.length ?? 0, status_seconds: Date.parse(at) / 1_000 })
  }
  return [...families]
    .map(([name, { type, lines }]) => `# TYPE alpr_engine_${name} ${type}\n${lines.join('\n')}\n`)
    .join('')
}

const labelOf = (instance: string): string => instance.replace(/["\\\n]/g, '_').slice(0, 64)

function metricOf(key: string): { name: string; label: string } | undefined {
  for (const [pattern, name, label] of FAMILIES) {
    const [, value] = pattern.exec(key) ?? []
    if (value) return { name, label: `,${label}="${value}"` }
  }
  const [, name, value] = NAME.exec(key) ?? []
  if (!name) return undefined
  return { name, label: value === undefined ? '' : `,${name.startsWith('hot_list') ? 'list' : 'key'}="${value}"` }
}
