import type { QuestionKind } from '../../../engine/canvass/questions.js'
import type { ClickHouseClient } from '../../../engine/store/client.js'

export const WINDOW = [{ from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' }]
export const HERE = { lat: 37.7, lon: -122.42 }
/** The smallest valid input of each question. */
export const PLAIN: Record<QuestionKind, Record<string, unknown>> = {
  canvass: { windows: WINDOW },
  history: { windows: WINDOW, plate: '7ABC123' },
  scenes: { scenes: [{ windows: WINDOW }, { windows: WINDOW }] },
  convoy: { windows: WINDOW, plate: '7ABC123' },
  nearby: { readId: '1000' },
  timeline: { windows: WINDOW },
  heat: { windows: WINDOW },
  'look-back': { windows: WINDOW, plates: ['7ABC123'] },
  plates: { pattern: '7?B*' },
  preview: { windows: WINDOW, entries: 1_000 },
}

/** What a client was asked. */
export interface Statement {
  query: string
  params: unknown
}

/** A client that remembers what it was asked and answers with no rows. */
export function spyClient(asked: Statement[]): ClickHouseClient {
  return {
    query: async ({ query, query_params }: { query: string; query_params: unknown }) => {
      asked.push({ query, params: query_params })
      return { json: async () => [] }
    },
  } as unknown as ClickHouseClient
}
