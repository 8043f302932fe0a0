import { Type, type Static } from '@sinclair/typebox'
import { redact } from '../runtime/redact.js'

/** How pictures of a camera are pulled (`engine/ingest/`). The credentials are in the secrets file, never here. */
export const LiveSchema = Type.Object(
  {
    /** `rtsp://`, `rtsps://`, `http://` or `https://`, without credentials. */
    url: Type.String({ minLength: 8, maxLength: 2_000 }),
    /** How RTP comes. Without it over TCP. */
    transport: Type.Optional(Type.Union([Type.Literal('tcp'), Type.Literal('udp')])),
    /** The most frames a second. Without it 5; for a picture that is polled 1. */
    fps: Type.Optional(Type.Number({ minimum: 0.01, maximum: 60 })),
    /** Whether frames in which nothing moves are thinned to one a second. Without it they are. */
    motionGate: Type.Optional(Type.Boolean()),
    /** `any` takes a certificate that nobody vouches for, as most cameras have. Without it it is verified. */
    tls: Type.Optional(Type.Union([Type.Literal('verify'), Type.Literal('any')])),
  },
  { additionalProperties: false },
)

export type LiveCamera = Static<typeof LiveSchema>

const SCHEMES = new Set(['rtsp:', 'rtsps:', 'http:', 'https:'])

/** Why an address cannot be that of a live camera, in words; undefined when it can. */
export function addressFault(url: string): string | undefined {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return 'live.url is not an address like rtsp://host/path'
  }
  if (!SCHEMES.has(parsed.protocol))
    return `live.url begins with "${parsed.protocol}//"; rtsp, rtsps, http and https are known`
  if (parsed.hostname === '') return 'live.url names no host'
  if (redact(url) !== url)
    return 'live.url holds a user, a password or a key: "platestream camera add" keeps them in the secrets file'
  return undefined
}
