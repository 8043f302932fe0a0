import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { CONTENT_POLICY } from './headers.js'

/** The one inline style that swagger-ui 5 sets, by its hash. */
const SWAGGER_STYLE = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"

/** OpenAPI from the schemas of the routes, as a page at /docs. Behind the door like everything else; nothing is loaded from outside. */
export async function documentation(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Platestream', version, description: 'Reads, hits and their pictures. Errors are `{code, message, details}` with a code of the one table.' },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'the access token of this installation' },
          session: { type: 'apiKey', in: 'cookie', name: 'alpr_…', description: 'set by POST /api/session' },
        },
      },
      security: [{ bearer: [] }, { session: [] }],
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: `${CONTENT_POLICY}; style-src 'self' ${SWAGGER_STYLE}`,
    uiConfig: { deepLinking: true, validatorUrl: null, supportedSubmitMethods: ['get'] },
  })
}
