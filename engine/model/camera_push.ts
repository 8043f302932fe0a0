import { isIP } from 'node:net'
import { Type, type Static } from '@sinclair/typebox'

/** What a camera that pushes sends: the names of the adapters. */
export const PUSH_KINDS = [
  'frames',
  'axis',
  'dahua',
  'frigate',
  'genetec',
  'hikvision',
  'openalpr',
  'plate-recognizer',
  'verkada',
] as const
export type PushKind = (typeof PUSH_KINDS)[number]

/** How a camera that pushes proves who it is. */
export const PUSH_CREDENTIALS = ['path', 'bearer', 'basic', 'digest', 'certificate'] as const
export type PushCredentialKind = (typeof PUSH_CREDENTIALS)[number]

const strict = { additionalProperties: false }

/** How a camera sends to the push door. It holds no secret: those are in the secrets file. */
export const PushSchema = Type.Object(
  {
    kind: Type.Union(PUSH_KINDS.map((kind) => Type.Literal(kind))),
    /** The camera may use any of these; with `certificate` and others it needs the certificate and one other. */
    credentials: Type.Array(Type.Union(PUSH_CREDENTIALS.map((name) => Type.Literal(name))), {
      minItems: 1,
      maxItems: PUSH_CREDENTIALS.length,
      uniqueItems: true,
    }),
    /** Zone of times that the camera sends without one: `America/New_York`, `+02:00`. Without it they are refused. */
    zone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    /** Addresses that the camera sends from: `192.0.2.7`, `10.1.0.0/16`. @default any */
    addresses: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 32 })),
    /** SHA-256 of its client certificate in hexadecimal. @default one whose common name is the camera's id */
    certificate: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  },
  strict,
)

export type CameraPush = Static<typeof PushSchema>

/** @returns what is wrong with a record that fits the schema; undefined when nothing is */
export function pushFault({ zone, addresses = [] }: CameraPush): string | undefined {
  if (zone !== undefined && !isZone(zone))
    return `push.zone "${zone}" is no time zone: write it as America/New_York or as +02:00`
  const odd = addresses.find((address) => !isAddressRange(address))
  if (odd !== undefined) return `push.addresses: "${odd}" is no address such as 192.0.2.7 or 10.1.0.0/16`
  return undefined
}

/** An offset, or a name of the IANA list that this Node knows. */
export function isZone(zone: string): boolean {
  if (/^[+-](0\d|1[0-4]):[0-5]\d$/.test(zone)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return /^[A-Z]/i.test(zone)
  } catch {
    return false
  }
}

function isAddressRange(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}
