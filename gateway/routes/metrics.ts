import { Counter, Gauge, Registry } from 'prom-client'
import type { Api } from '../http/api.js'
import type { PushCount } from '../push/counts.js'
import type { Services } from './services.js'
import { ingestMetrics } from '../status/ingest_board.js'
import { engineMetrics } from '../status/engine_metrics.js'

/**
 * `/metrics`: metrics of the gateway and of the engines, open to this machine only. docs/metrics.md lists the names.
 */
export function metricsRoutes(api: Api, services: Services): void {
  const metrics = ownMetrics(services)
  api.get(
    '/metrics',
    {
      config: { access: 'loopback' },
      schema: { summary: 'Metrics as Prometheus text', security: [], tags: ['operation'], produces: ['text/plain'] },
    },
    async (_, reply) =>
      reply
        .type(metrics.contentType)
        .send(
          (await metrics.metrics()) + engineMetrics(services.board.fresh()) + ingestMetrics(services.ingest.fresh()),
        ),
  )
}

function ownMetrics({ natsLink, hub, board, registry, missing, rooms, push }: Services): Registry {
  const metrics = new Registry()
  const registers = [metrics]
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `alpr_gateway_${name}`,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name: `alpr_gateway_${name}_total`,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(value())
      },
    })

  gauge('consoles', 'consoles connected', () => hub.consoles)
  gauge('console_queue_depth', 'live reads waiting for all consoles', () => hub.depth)
  gauge(
    'history_waiting',
    'consoles waiting for their turn to read older hits from the stream',
    () => hub.backlog.waiting,
  )
  gauge('nats_connected', '1 when NATS is connected', () => Number(natsLink.state.connected))
  gauge('hits_live', '1 when hits flow from the stream', () => Number(hub.feed.state.live))
  gauge('hits_sequence', 'last sequence of stream HITS seen', () => hub.feed.last)
  gauge('engines', 'known engines', () => board.engines().length)
  gauge('engines_fresh', 'engines whose last status is younger than 5 s', () => board.fresh().length)
  gauge('hotlists', 'known hot lists', () => registry.lists().length)
  gauge('hotlists_stale', 'hot lists whose last load is older than 12 h', () => registry.staleLists().length)
  gauge(
    'hotlists_missing',
    'hot lists not in force as stored, each counted for each engine',
    () => missing.all().length,
  )
  const labelled = <Name extends string>(
    name: string,
    help: string,
    labelNames: Name[],
    values: () => readonly (readonly [labels: Record<Name, string>, value: number])[],
  ) =>
    new Gauge({
      name: `alpr_gateway_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        for (const [labels, value] of values()) this.set(labels, value)
      },
    })
  const pushed = (name: string, help: string, count: PushCount, label?: string) =>
    new Counter({
      name: `alpr_gateway_push_${name}_total`,
      help,
      labelNames: ['camera', ...(label ? [label] : [])] as string[],
      registers,
      collect() {
        this.reset()
        for (const { camera, label: value, count: by } of push.of(count))
          this.inc({ camera, ...(label && { [label]: value }) }, by)
      },
    })
  pushed('requests', 'requests of cameras that push and that proved who they are', 'requests')
  pushed('stored', 'messages of cameras that push that the stream took', 'stored')
  pushed('repeated', 'messages of cameras that push that the stream had already', 'repeated')
  pushed('refused', 'requests of cameras that push that were refused', 'refused', 'code')
  pushed('left_out', 'parts of requests of cameras that push that could not be used', 'leftOut', 'field')
  pushed('arrival_times', 'frames of cameras that push that have no time of their own', 'arrivalTimes')
  const secondsSince = (ms: number) => Math.max(0, (Date.now() - ms) / 1_000)
  labelled(
    'hotlist_missing_seconds',
    'how long a hot list has not been in force as stored, by engine and list',
    ['instance', 'list'],
    () =>
      missing
        .all()
        .map(({ engine, list, since }) => [{ instance: engine, list }, secondsSince(Date.parse(since))] as const),
  )
  labelled('engine_waiting_seconds', 'how long an engine has waited for something', ['instance', 'what'], () =>
    board.waits().map(({ instance, what, since }) => [{ instance, what }, secondsSince(since)] as const),
  )
  labelled('partition_uncovered_seconds', 'how long no engine has held a partition', ['partition'], () =>
    board.uncovered().map(({ partition, since }) => [{ partition }, secondsSince(since)] as const),
  )
  labelled(
    'partition_held_seconds',
    'how long the messages of a partition have not been done with (commit) or deleted (trim)',
    ['instance', 'partition', 'what'],
    () => board.held().map(({ instance, partition, what, ms }) => [{ instance, partition, what }, ms / 1_000] as const),
  )
  labelled('stream_used_ratio', 'used share of the bound of a stream that refuses publishers', ['stream'], () =>
    rooms.all().map(({ stream, share }) => [{ stream }, share] as const),
  )
  labelled('stream_full_seconds', 'how long a stream has refused publishers', ['stream'], () =>
    rooms.full().map(({ stream, fullSince }) => [{ stream }, secondsSince(fullSince!)] as const),
  )
  gauge('resident_bytes', 'resident memory of the process', () => process.memoryUsage.rss())
  counter('hits', 'hit revisions received from the stream while live', () => hub.counts.hits)
  counter('hits_sent', 'hit revisions sent to consoles', () => hub.counts.hitsSent)
  counter('hits_malformed', 'messages of stream HITS that are not hits', () => hub.feed.malformed)
  counter('reads', 'live reads passed on to consoles', () => hub.counts.reads)
  counter('reads_dropped', 'live reads dropped for slow consoles', () => hub.counts.readsDropped)
  counter('consoles_stalled', 'consoles closed because they made no progress', () => hub.counts.stalled)
  counter('consoles_refused', 'upgrades refused', () => hub.counts.refused)
  counter('consoles_resumed', 'consoles that reconnected with since', () => hub.counts.resumed)
  counter('feed_resumes', 'starts of the consumer on stream HITS', () => hub.feed.resumes)
  counter('nats_reconnects', 'reconnections to NATS', () => natsLink.reconnects)
  return metrics
}
