import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { CONTENT_POLICY } from './headers.js'

/** The one inline style that swagger-ui 5 sets, by its hash. */
const SWAGGER_STYLE = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='"

const DESCRIPTION = `
Reads, hits and their pictures. Errors are \`{code, message, details}\` with a stable code; unknown fields are refused.

Live hits come over the WebSocket \`/ws/hits\`, with the same authentication. Send
\`{"type":"subscribe","since":0,"reads":true}\` where \`since\` is the last sequence seen, and optionally \`epoch\`,
\`lists\`, \`cameras\`, \`priority\`, \`area\` (west, south, east, north). Receive \`hello\`, \`hit\`, \`read\`,
\`status\`, \`gap\`, \`restarted\`. No hit is ever dropped; reads can be.
Close codes: 4401 sign in again, 4408 stalled (resume with \`since\`), 4400 invalid message.`.trim()

/**
 * Serves the OpenAPI document, built from the schemas of the routes, as a page at /docs. It needs authentication like
 * any route and loads nothing from other origins.
 */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Platestream', version, description: DESCRIPTION },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'the access token of this installation' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'alpr_… or, with TLS, __Host-alpr_…',
            description: 'set by POST /api/session',
          },
        },
      },
      security: [{ bearer: [] }, { session: [] }],
    },
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: `${CONTENT_POLICY}; style-src 'self' ${SWAGGER_STYLE}`,
    theme: { title: 'Platestream API' },
    uiConfig: { layout: 'BaseLayout', deepLinking: true, validatorUrl: null, supportedSubmitMethods: ['get'] },
  })
}
