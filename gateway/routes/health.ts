import { Type } from '@sinclair/typebox'
import { reasonOf, within } from '../../engine/runtime/mod.js'
import type { Api } from '../http/api.js'
import type { Services } from './services.js'
import { missingText } from '../status/missing_lists.js'

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

/** How long the store may take to answer, and how long an answer is valid, ms: probes must not cause load. */
const STORE_TIMEOUT_MS = 2_000
const STORE_VALID_MS = 1_000

/** Most lists that are named as not in force. */
const MAX_LISTS = 10

export function healthRoutes(api: Api, { natsLink, hub, board, registry, missing, records }: Services): void {
  const store = cached(STORE_VALID_MS, async (): Promise<Part> => {
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
      const parts = { nats, hits, store: await store(), registry: registryPart }
      const reasons = Object.entries(parts)
        .filter(([, part]) => !part.ok)
        .map(([name, part]) => `${name}: ${part.reason}`)
      if (engines.length === 0) reasons.push('engines: none has reported yet')
      for (const engine of engines.filter(({ ok }) => !ok)) {
        const waits = Object.entries(engine.waiting).map(([name, reason]) => `is waiting for ${name}: ${reason}`)
        const silence = `has been silent for ${Math.round(engine.ageMs / 1_000)} s`
        reasons.push(`engine ${engine.instance}: ${waits.join('; ') || silence}`)
      }
      const uncovered = board.uncovered()
      if (uncovered.length > 0)
        reasons.push(`partitions: ${uncovered.join(', ')} are held by no engine; their cameras wait`)
      const lists = missing.all()
      reasons.push(...lists.slice(0, MAX_LISTS).map(missingText))
      if (lists.length > MAX_LISTS) reasons.push(`hot lists: ${lists.length - MAX_LISTS} more are not in force`)
      return reply
        .code(reasons.length === 0 ? 200 : 503)
        .send({ ready: reasons.length === 0, reasons, ...parts, engines })
    },
  )
}

/** Calls `ask` at most once per `ms` and shares its result. */
function cached<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let calledAt = -Infinity
  let answer: Promise<T> | undefined
  return () => {
    if (!answer || performance.now() - calledAt > ms) {
      calledAt = performance.now()
      answer = ask()
    }
    return answer
  }
}
