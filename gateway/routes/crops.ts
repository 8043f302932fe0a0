import { Type } from '@sinclair/typebox'
import { accessOf } from '../access/access.js'
import { type Api, strict } from '../http/api.js'
import type { Services } from './services.js'
import { problems } from '../http/problem.js'

/** No crop is longer, bytes. */
const MAX_CROP_BYTES = 4_194_304

const Params = Type.Object(
  {
    segment: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$', description: 'name of a segment file' }),
    offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    length: Type.Integer({ minimum: 1, maximum: MAX_CROP_BYTES }),
  },
  strict,
)

/**
 * Pictures. A crop never changes, so the browser of an authenticated caller may keep it for a shift; a proxy may not.
 */
export function cropsRoutes(api: Api, { records }: Services): void {
  api.get(
    '/api/crops/:segment/:offset/:length',
    {
      schema: {
        summary: 'The picture of a plate',
        tags: ['reads'],
        params: Params,
        response: {
          200: Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary', description: 'JPEG' }),
          ...problems(400, 401, 403, 404, 500),
        },
      },
    },
    async ({ params, caller }, reply) => {
      const jpeg = await records.picture(accessOf(caller), params)
      return reply
        .type('image/jpeg')
        .header('cache-control', 'private, max-age=43200, immutable')
        .send(Buffer.from(jpeg))
    },
  )
}
