import { Type } from '@sinclair/typebox'
import { LIST_ID, pictureAddress, type HitRecord } from '../../engine/mod.js'
import { accessOf } from '../access/access.js'
import { type Api, RFC3339, strict } from '../http/api.js'
import type { Services } from './services.js'
import type { Column } from '../http/csv_writer.js'
import { sendList, FormatField, PageFields, pageOf, PurposeField } from '../http/listing.js'

const HitSchema = Type.Object(
  {
    hitId: Type.String(),
    revision: Type.Integer(),
    state: Type.String({ description: "'possible' until a person verifies it; or 'withdrawn'" }),
    readId: Type.String(),
    plate: Type.String(),
    listedPlate: Type.String(),
    list: Type.String(),
    listName: Type.String(),
    reason: Type.String(),
    priority: Type.String(),
    exact: Type.Boolean(),
    probability: Type.Number(),
    camera: Type.String(),
    ts: RFC3339,
    tsLast: RFC3339,
  },
  { additionalProperties: true },
)

const Query = Type.Object(
  {
    ...PageFields,
    ...FormatField,
    ...PurposeField,
    list: Type.Optional(Type.String({ pattern: LIST_ID.source })),
  },
  strict,
)

const COLUMNS: Column<HitRecord>[] = [
  ['hitId', (h) => h.hitId],
  ['revision', (h) => h.revision],
  ['state', (h) => h.state],
  ['plate', (h) => h.plate],
  ['listedPlate', (h) => h.listedPlate],
  ['exact', (h) => h.exact],
  ['probability', (h) => h.probability],
  ['list', (h) => h.list],
  ['listName', (h) => h.listName],
  ['listLoadedAt', (h) => h.listLoadedAt],
  ['reason', (h) => h.reason],
  ['priority', (h) => h.priority],
  ['camera', (h) => h.camera],
  ['cameraName', (h) => h.cameraName],
  ['lat', (h) => h.lat],
  ['lon', (h) => h.lon],
  ['direction', (h) => h.direction],
  ['ts', (h) => h.ts],
  ['tsLast', (h) => h.tsLast],
  ['crop', (h) => h.crop && pictureAddress(h.crop)],
  ['readId', (h) => h.readId],
]

export function hitsRoutes(api: Api, { records }: Services): void {
  api.get(
    '/api/hits',
    {
      schema: {
        summary: 'Latest hits, each with its last revision',
        description: 'A hit is a possible match. A hit alone is not grounds for a stop.',
        tags: ['hits'],
        querystring: Query,
        response: pageOf(HitSchema),
      },
    },
    async ({ query: { format, purpose, ...query }, caller }, reply) =>
      sendList(reply, format, 'hits', await records.hits(accessOf(caller, purpose), query), COLUMNS),
  )
}
