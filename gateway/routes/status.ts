import { Type } from '@sinclair/typebox'
import { type Api, RFC3339 } from '../http/api.js'
import type { Services } from './services.js'
import { problems } from '../http/problem.js'

export function statusRoutes(api: Api, { hub }: Services): void {
  api.get(
    '/api/status',
    {
      schema: {
        summary: 'The state that consoles show',
        tags: ['live'],
        response: {
          200: Type.Object(
            {
              at: RFC3339,
              hits: Type.Object({
                live: Type.Boolean(),
                reason: Type.Optional(Type.String()),
                since: Type.Optional(RFC3339),
              }),
              delayMs: Type.Optional(Type.Number({ description: 'from capture to gateway, milliseconds' })),
              framesPerS: Type.Optional(Type.Number()),
              readsPerS: Type.Optional(Type.Number()),
              framesWaiting: Type.Optional(Type.Number()),
              consoles: Type.Integer(),
              engines: Type.Array(
                Type.Object({
                  instance: Type.String(),
                  fresh: Type.Boolean(),
                  ageMs: Type.Integer(),
                  waiting: Type.Record(Type.String(), Type.String()),
                }),
              ),
              lists: Type.Integer(),
              staleLists: Type.Array(Type.Object({ id: Type.String(), name: Type.String(), loadedAt: RFC3339 }), {
                description: 'not loaded for 12 h',
              }),
              missingLists: Type.Array(
                Type.Object({
                  engine: Type.String(),
                  list: Type.String(),
                  name: Type.String(),
                  version: Type.String(),
                  since: RFC3339,
                  reason: Type.Optional(Type.String()),
                }),
                { description: 'lists that an engine does not match reads against as they are stored' },
              ),
              cameraFaults: Type.Optional(
                Type.Array(
                  Type.Object({ id: Type.String(), name: Type.String(), reason: Type.String(), since: RFC3339 }),
                  {
                    description: 'live cameras that give no good pictures',
                  },
                ),
              ),
            },
            { description: 'the current state' },
          ),
          ...problems(401),
        },
      },
    },
    async () => {
      const { type: _, ...status } = hub.summary()
      return status
    },
  )
}
