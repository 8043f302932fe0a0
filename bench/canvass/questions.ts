import { pino } from 'pino'
import type { ClickHouseClient, Settings } from '../../engine/mod.js'
import { sleep } from '../../engine/runtime/mod.js'
import { startGateway } from '../../gateway/mod.js'
import { timedAsync } from '../report/statistics.js'

/** A question: its request over HTTP, and the same by hand in SQL. */
export interface Question {
  kind: string
  body: Record<string, unknown>
  sql: string
}

/** Asks a question. @returns milliseconds until the whole answer was read */
export type Ask = (question: Question) => Promise<number>

export interface Asking {
  /** Over HTTP. */
  ask: Ask
  /** By hand, with the settings that the product uses. */
  askBySql: Ask
  close(): Promise<void>
}

/** Starts a gateway on the store and waits until it has loaded its dictionary of plates. */
export async function startAsking(
  settings: Settings,
  client: ClickHouseClient,
  { url, token }: { url: string; token: string },
): Promise<Asking> {
  const gateway = await startGateway(settings, {
    nats: { url: 'nats://127.0.0.1:1' },
    clickhouse: { url, password: token },
    token,
    log: pino({ level: 'silent' }),
  })
  const post = (kind: string, body: unknown) =>
    fetch(`${gateway.url}/api/canvass/${kind}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  try {
    await untilDictionaryLoaded(post)
  } catch (error) {
    await gateway.close()
    throw error
  }
  return {
    ask: ({ kind, body }) =>
      timedAsync(async () => {
        const response = await post(kind, body)
        const text = await response.text()
        if (!response.ok) throw new Error(`${kind}: ${text.slice(0, 300)}`)
      }),
    askBySql: ({ sql }) =>
      timedAsync(async () => {
        const clickhouse_settings = { do_not_merge_across_partitions_select_final: 1 } as const
        await (await client.query({ query: sql, format: 'JSONEachRow', clickhouse_settings })).text()
      }),
    close: () => gateway.close(),
  }
}

/**
 * Waits for the gateway's dictionary: at 100 million reads it loads for 20 s, on one of the cores. Questions before
 * that are answered another way, and are not measured.
 */
async function untilDictionaryLoaded(post: (kind: string, body: unknown) => Promise<Response>): Promise<void> {
  const body = {
    windows: [{ from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:01Z' }],
    pattern: '7?B*',
    explain: true,
  }
  for (const until = performance.now() + 600_000; performance.now() < until; await sleep(500)) {
    const { plan } = (await (await post('canvass', body)).json()) as {
      plan: { facts: { way?: { search?: string } } }
    }
    if (plan.facts.way?.search === 'dictionary') return
  }
  throw new Error('the dictionary of plates was not loaded within ten minutes')
}
