import { Type, type Static } from '@sinclair/typebox'
import { type Camera, CameraSchema, type HotList, HotListSchema } from '../../engine/mod.js'
import { type Api, strict } from '../http/api.js'
import type { Services } from './services.js'
import type { Column } from '../http/csv_writer.js'
import { sendList, FormatField, pageOf } from '../http/listing.js'

const Format = Type.Object(FormatField, strict)

const CAMERA_COLUMNS: Column<Camera>[] = [
  ['id', (c) => c.id],
  ['name', (c) => c.name],
  ['kind', (c) => c.kind],
  ['lat', (c) => c.lat],
  ['lon', (c) => c.lon],
  ['heading', (c) => c.heading],
  ['agency', (c) => c.agency],
]

const LIST_COLUMNS: Column<HotList>[] = [
  ['id', (l) => l.id],
  ['name', (l) => l.name],
  ['kind', (l) => l.kind],
  ['priority', (l) => l.priority],
  ['source', (l) => l.source],
  ['version', (l) => l.version],
  ['loadedAt', (l) => l.loadedAt],
  ['entries', (l) => l.entries],
  ['tolerance', (l) => l.tolerance],
  ['threshold', (l) => l.threshold],
]

/** The current cameras and hot lists, without the entries of the lists. */
export function registryRoutes(api: Api, { registry }: Services): void {
  api.get(
    '/api/cameras',
    {
      schema: { summary: 'Cameras', tags: ['registry'], querystring: Format, response: pageOf(CameraSchema) },
    },
    async ({ query }: { query: Static<typeof Format> }, reply) =>
      sendList(reply, query.format, 'cameras', { items: registry.cameras() }, CAMERA_COLUMNS),
  )

  api.get(
    '/api/hotlists',
    {
      schema: {
        summary: 'Hot lists, without their entries',
        tags: ['registry'],
        querystring: Format,
        response: pageOf(HotListSchema),
      },
    },
    async ({ query }: { query: Static<typeof Format> }, reply) =>
      sendList(reply, query.format, 'hotlists', { items: registry.lists() }, LIST_COLUMNS),
  )
}
