import { type TInteger, type TObject, Type } from '@sinclair/typebox'
import { EXPORT_FORMATS, type ExportEnd, type ExportFormat, fileOf, questionList } from '../../engine/mod.js'
import { accessOf } from '../access/access.js'
import { type Api, strict } from '../http/api.js'
import type { Services } from './services.js'
import { PurposeField } from '../http/listing.js'
import { problems } from '../http/problem.js'
import { goneOf, started } from '../http/streamed_file.js'

/** Fits 16 areas, each a polygon of 2,000 corners, or 20,000 plates; bytes. */
const BODY_LIMIT = 1_048_576

const Query = Type.Object(
  {
    format: Type.Optional(
      Type.Union(
        [
          Type.Literal('json'),
          ...Object.keys(EXPORT_FORMATS).map((format) => Type.Literal(format as ExportFormat)),
          Type.Literal('pages' as const),
        ],
        {
          default: 'json',
          description:
            'pages: JSON lines, each the answer found so far (question plates only); csv and geojson: the whole ' +
            'answer as a streamed file, up to 1,000,000 rows or the `limit` of the question; the trailer Next-Page ' +
            'has the `cursor` for the rest, Rows-Left the number of rows that no page has',
        },
      ),
    ),
    ...PurposeField,
  },
  strict,
)

/** One route per question. Its body is the input of the question, which the canvass service validates. */
export function canvassRoutes(api: Api, { records }: Services): void {
  for (const { kind, summary, schema } of questionList()) {
    api.post(
      `/api/canvass/${kind}`,
      {
        bodyLimit: BODY_LIMIT,
        schema: {
          summary,
          tags: ['canvass'],
          querystring: Query,
          body: bodyOf(schema) as unknown as typeof BodySchema,
          response: { 200: Type.Unsafe<unknown>(AnswerSchema), ...problems(400, 401, 403, 404, 408, 413, 422, 503) },
        },
      },
      async ({ body, query: { format = 'json', purpose }, caller, raw }, reply) => {
        // When the client disconnects, the store ends the query.
        const gone = goneOf(raw, reply.raw)
        const access = accessOf(caller, purpose)
        if (format === 'pages')
          return reply
            .type('application/x-ndjson')
            .send(await started(lines(records.watch(access, kind, body, { signal: gone })), 1, gone))
        if (format === 'json') return records.ask(access, kind, body, { signal: gone })
        const pieces = fileOf(format, kind, records.export(access, kind, body, { signal: gone }))
        // Whether the file ends before the answer is known at its end only: in trailers, and in GeoJSON itself.
        const end: ExportEnd = {}
        reply.trailer('next-page', async () => end.next ?? '')
        reply.trailer('rows-left', async () => String(end.left ?? ''))
        return reply
          .type(EXPORT_FORMATS[format])
          .header('content-disposition', `attachment; filename="${kind}.${format}"`)
          .send(await started(pieces, 2, gone, (how) => Object.assign(end, how)))
      },
    )
  }
}

/** The input of a question. Its `limit` gets no default here: a file without one has the whole answer. */
function bodyOf({ properties, ...schema }: TObject): TObject {
  const { default: page, ...limit } = properties.limit as TInteger
  const description = `default ${String(page)} rows; in a file all rows`
  return { ...schema, properties: { ...properties, limit: { ...limit, description } } }
}

async function* lines(answers: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const answer of answers) yield `${JSON.stringify(answer)}\n`
}

const BodySchema = Type.Object({}, { additionalProperties: true })
const AnswerSchema = Type.Object(
  {
    items: Type.Array(Type.Object({}, { additionalProperties: true })),
    next: Type.Optional(Type.String()),
    partial: Type.Optional(
      Type.Boolean({ description: 'rows may be left out: a search used its budget up; notes say how far it came' }),
    ),
    left: Type.Optional(Type.Integer({ description: 'further rows; the answer has no pages' })),
    notes: Type.Optional(Type.Object({}, { additionalProperties: true })),
    plan: Type.Optional(Type.Object({}, { additionalProperties: true })),
  },
  { description: 'a page; a file with format=csv or format=geojson' },
)
