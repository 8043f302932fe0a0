import { csvRow } from '../runtime/csv_row.js'
import type { Question } from './question.js'
import { QUESTIONS, type QuestionKind } from './questions.js'

export const EXPORT_FORMATS = {
  csv: 'text/csv; charset=utf-8; header=present',
  geojson: 'application/geo+json',
} as const
export type ExportFormat = keyof typeof EXPORT_FORMATS

/** Pieces of a file, one for each page: memory holds one page, however long the answer. */
export async function* fileOf(
  format: ExportFormat,
  kind: QuestionKind,
  pages: AsyncIterable<unknown[]>,
): AsyncGenerator<string> {
  const question = QUESTIONS[kind] as unknown as Question
  if (format === 'csv') yield* csv(question, pages)
  else yield* geoJson(question, pages)
}

/** RFC 4180, a heading line first, even when no row follows. */
async function* csv({ columns }: Question, pages: AsyncIterable<unknown[]>): AsyncGenerator<string> {
  yield csvRow(columns.map(([heading]) => heading))
  for await (const page of pages) yield page.map((row) => csvRow(columns.map(([, of]) => of(row)))).join('')
}

/** RFC 7946: a FeatureCollection; rows without a place have a geometry of null. */
async function* geoJson({ columns, shape }: Question, pages: AsyncIterable<unknown[]>): AsyncGenerator<string> {
  yield '{"type":"FeatureCollection","features":['
  let first = true
  for await (const page of pages) {
    const features = page.map((row) => {
      const at = shape(row)
      const geometry =
        at === undefined
          ? null
          : 'point' in at
            ? { type: 'Point', coordinates: at.point }
            : { type: 'Polygon', coordinates: [at.corners] }
      return JSON.stringify({
        type: 'Feature',
        geometry,
        properties: Object.fromEntries(columns.map(([heading, of]) => [heading, of(row)])),
      })
    })
    yield `${first ? '' : ','}${features.join(',')}`
    first = false
  }
  yield ']}\n'
}
