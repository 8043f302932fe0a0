import { pino, type DestinationStream, type Logger } from 'pino'
import { logErrorOf } from '../engine/runtime/mod.js'

const SECRET = '[redacted]'

/**
 * The gateway's log. Fields that may hold a secret are redacted by name, and URLs lose their query, because the URL
 * that first opens the console carries the token. Normal operation logs nothing per request, hit or read.
 */
export function gatewayLog(level: string, destination?: DestinationStream): Logger {
  return pino(
    {
      name: 'gateway',
      level,
      redact: {
        censor: SECRET,
        paths: [
          'authorization',
          'cookie',
          'token',
          '*.authorization',
          '*.cookie',
          '*.token',
          '*["set-cookie"]',
          '*.headers.authorization',
          '*.headers.cookie',
          '*.body',
        ],
      },
      serializers: {
        err: logErrorOf,
        req: (request: { method?: string; url?: string }) => ({
          method: request.method,
          url: withoutQuery(request.url ?? ''),
        }),
        url: (url: unknown) => withoutQuery(String(url)),
      },
    },
    destination ?? pino.destination(2),
  )
}

export const withoutQuery = (url: string): string => url.split(/[?#]/, 1)[0]!
