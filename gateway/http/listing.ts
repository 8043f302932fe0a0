import type { Readable } from 'node:stream'
import { Type, type TSchema } from '@sinclair/typebox'
import type { FastifyReply } from 'fastify'
import type { Page } from '../../engine/mod.js'
import { toCsv, type Column } from './csv_writer.js'
import { problems } from './problem.js'

/** Query fields of every list. */
export const FormatField = {
  format: Type.Union([Type.Literal('json'), Type.Literal('csv')], {
    default: 'json',
    description: 'csv: the same rows as a table',
  }),
}

/** Query field of every route with plate data. */
export const PurposeField = {
  purpose: Type.Optional(
    Type.String({
      maxLength: 500,
      description: 'purpose of the access: category and case number; for the access gate',
    }),
  ),
}

/** Query fields of a list that comes in pages. */
export const PageFields = {
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 }),
  before: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'the `next` of the previous page' })),
}

/** The response schemas of a list. */
export const pageOf = <T extends TSchema>(item: T) => ({
  200: Type.Object(
    { items: Type.Array(item), next: Type.Optional(Type.String()) },
    { description: 'newest first; as CSV with format=csv' },
  ),
  ...problems(400, 401, 503),
})

/** Sends a page as JSON, or its rows as a CSV file with the next page's cursor in the header `Next-Page`. */
export function sendList<T>(
  reply: FastifyReply,
  format: 'json' | 'csv',
  name: string,
  page: Page<T>,
  columns: readonly Column<T>[],
): FastifyReply {
  if (format === 'json') return reply.send(page)
  if (page.next) reply.header('next-page', page.next)
  return sendCsv(reply, name, toCsv(page.items, columns))
}

/** Sends a CSV file, `<name>.csv`. */
export const sendCsv = (reply: FastifyReply, name: string, csv: string | Readable): FastifyReply =>
  reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(csv)
