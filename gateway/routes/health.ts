import { Type } from '@sinclair/typebox'
import { CachedValue, reasonOf, within } from '../../engine/runtime/mod.js'
import type { Api } from '../http/api.js'
import type { Services } from './services.js'
import type { HeldPartition } from '../../engine/mod.js'
import { cameraFaultText } from '../status/ingest_board.js'
import { missingText } from '../status/missing_lists.js'
import type { UncoveredPartition } from '../status/status_board.js'
import { fullText } from '../status/stream_room.js'

const Part = Type.Object({ ok: Type.Boolean(), reason: Type.Optional(Type.String()) })

const Readiness = Type.Object(
  {
    ready: Type.Boolean(),
    reasons: Type.Array(Type.String(), { description: 'empty when ready' }),
    nats: Part,
    hits: Part,
    store: Part,
    registry: Part,
    engines: Type.Array(
      Type.Object({
        instance: Type.String(),
        ok: Type.Boolean(),
        ageMs: Type.Integer(),
        waiting: Type.Record(Type.String(), Type.String()),
      }),
    ),
  },
  { description: 'whether hits reach the consoles from the cameras' },
)

type Part = { ok: boolean; reason?: string }

/** How long the store may take to answer, and the oldest answer that is used, ms: probes must not cause load. */
const STORE_TIMEOUT_MS = 2_000
const STORE_VALID_MS = 1_000

/** Most lists, partitions or streams that are named for one reason. */
const MAX_NAMED = 10

/** The first sentences, and how many more there are. */
function named(what: string, sentences: string[], rest: string): string[] {
  const more = sentences.length - MAX_NAMED
  return [...sentences.slice(0, MAX_NAMED), ...(more > 0 ? [`${what}: ${more} more ${rest}`] : [])]
}

const timeOf = (ms: number): string => new Date(ms).toISOString()

const uncoveredText = ({ partition, since, reason }: UncoveredPartition): string =>
  `partition ${partition} is held by no engine since ${timeOf(since)}; its cameras wait` +
  (reason === undefined ? '' : ` (${reason})`)

const heldText = ({ instance, partition, what, ms, by }: HeldPartition & { instance: string }): string =>
  `partition ${partition} on engine ${instance}: ` +
  (what === 'commit' ? 'no message is done with' : 'messages that are done with stay on the stream') +
  ` since ${timeOf(Date.now() - ms)}, held up by ${by}`

export function healthRoutes(api: Api, services: Services): void {
  const { natsLink, hub, board, registry, missing, rooms, records, ingest } = services
  const clock = () => performance.now()
  const store = new CachedValue(STORE_VALID_MS, clock, async (): Promise<Part> => {
    try {
      await within(STORE_TIMEOUT_MS, records.ping())
      return { ok: true }
    } catch (error) {
      return { ok: false, reason: reasonOf(error) }
    }
  })

  api.get(
    '/healthz',
    {
      config: { access: 'open' },
      schema: {
        summary: 'The process is alive',
        security: [],
        tags: ['operation'],
        response: { 200: Type.Object({ alive: Type.Boolean() }, { description: 'alive' }) },
      },
    },
    async () => ({ alive: true }),
  )

  api.get(
    '/readyz',
    {
      config: { access: 'open' },
      schema: {
        summary: 'Everything works, or a list of what is missing',
        security: [],
        tags: ['operation'],
        response: { 200: Readiness, 503: Readiness },
      },
    },
    async (_, reply) => {
      const nats: Part = natsLink.state.connected ? { ok: true } : { ok: false, reason: natsLink.state.reason }
      const hits: Part = hub.feed.state.live ? { ok: true } : { ok: false, reason: hub.feed.state.reason }
      const engines = board.engines().map(({ instance, fresh, ageMs, waiting }) => ({
        instance,
        ok: fresh && Object.keys(waiting).length === 0,
        ageMs,
        waiting,
      }))
      const registryProblem = registry.problem()
      const registryPart: Part = registryProblem === '' ? { ok: true } : { ok: false, reason: registryProblem }
      const parts = { nats, hits, store: await store.get(), registry: registryPart }
      const reasons = Object.entries(parts)
        .filter(([, part]) => !part.ok)
        .map(([name, part]) => `${name}: ${part.reason}`)
      const waiting = board.waits()
      const sinceText = (engine: string, name: string) => {
        const wait = waiting.find(({ instance, what }) => instance === engine && what === name)
        return wait ? ` (since ${timeOf(wait.since)})` : ''
      }
      if (engines.length === 0) reasons.push('engines: none has reported yet')
      for (const engine of engines.filter(({ ok }) => !ok)) {
        const waits = Object.entries(engine.waiting).map(
          ([name, reason]) => `is waiting for ${name}: ${reason}${sinceText(engine.instance, name)}`,
        )
        const silence = `has been silent for ${Math.round(engine.ageMs / 1_000)} s`
        reasons.push(`engine ${engine.instance}: ${waits.join('; ') || silence}`)
      }
      if (rooms.problem() !== '' && nats.ok) reasons.push(`streams: ${rooms.problem()}`)
      reasons.push(...named('partitions', board.uncovered().map(uncoveredText), 'are held by no engine'))
      reasons.push(...named('partitions', board.held().map(heldText), 'do not advance'))
      reasons.push(...named('streams', rooms.full().map(fullText), 'are full'))
      reasons.push(...named('hot lists', missing.all().map(missingText), 'are not in force'))
      reasons.push(...named('cameras', ingest.faults().map(cameraFaultText), 'give no good pictures'))
      for (const { instance, waiting } of ingest.fresh())
        for (const [what, reason] of Object.entries(waiting)) reasons.push(`ingest ${instance}: ${what}: ${reason}`)
      return reply
        .code(reasons.length === 0 ? 200 : 503)
        .send({ ready: reasons.length === 0, reasons, ...parts, engines })
    },
  )
}
