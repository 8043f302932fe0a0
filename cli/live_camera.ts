import type { Command } from 'commander'
import type { LiveCamera, Settings } from '../engine/mod.js'
import { AlprError, redact, saveCameraSecret, type CameraSecret } from '../engine/runtime/mod.js'
import { printNote } from './output.js'
import { decimal, oneOf } from './parse.js'
import { askSecret } from './secret_input.js'
import { loadEngine } from './system.js'

/** Options of a camera whose pictures are pulled. */
export interface LiveOptions {
  url?: string
  user?: string
  transport?: 'tcp' | 'udp'
  fps?: number
  motionGate: boolean
  tls?: 'verify' | 'any'
}

export function withLiveOptions(command: Command): Command {
  return command
    .option('--url <address>', 'rtsp://, rtsps://, or http(s):// of an MJPEG stream or a snapshot; pulled by "ingest"')
    .option('--user <name>', 'user of the camera; asks for the password')
    .option('--transport <kind>', 'how RTP comes: tcp (default) or udp', oneOf('tcp', 'udp'))
    .option('--fps <n>', 'the most frames a second that are taken (default: 5; of a snapshot 1)', decimal(0.01, 60))
    .option('--no-motion-gate', 'take frames in which nothing moves too, not one a second of them')
    .option(
      '--tls <which>',
      'certificate of the camera: verify (default), or any, for one that nobody vouches for',
      oneOf('verify', 'any'),
    )
}

/** An address without its secrets, and the secrets. */
export interface CameraAddress {
  url: string
  secret: CameraSecret | undefined
}

/**
 * Takes the secrets out of the address, and asks for a password.
 * @returns undefined without an address
 * @throws ALPR_ERR_USAGE
 */
export async function takeAddress({ url, user, ...rest }: LiveOptions): Promise<CameraAddress | undefined> {
  if (url === undefined) {
    const names = {
      '--user': user,
      '--transport': rest.transport,
      '--fps': rest.fps,
      '--tls': rest.tls,
    }
    const [without] = Object.entries(names).find(([, value]) => value !== undefined) ?? []
    if (without) throw new AlprError('ALPR_ERR_USAGE', { reason: `${without} is for a camera with --url` })
    return undefined
  }
  // What other users of this machine see of this process from now on.
  process.title = 'platestream camera add'
  const address = parseAddress(url)
  if (user === undefined && !address.secret) return address
  const isOnCommandLine = address.secret !== undefined
  if (isOnCommandLine)
    printNote(
      'the address holds a password or a key. It is kept in the secrets file only; but it was on the command line, ' +
        'where your shell keeps it and others of this machine could see it: --user asks for it instead',
    )
  if (user === undefined) return address
  const password = await askSecret(`password of ${user}: `)
  return { url: address.url, secret: { ...address.secret, user, password } }
}

/** User and password reach to the last @ before the path: a password may hold one that is not encoded. */
function parseAddress(text: string): CameraAddress {
  const [, scheme, userInfo, rest = ''] =
    /^([a-z][a-z0-9+.-]*:\/\/)(?:([^/?#]*)@)?([^@/?#]+(?:[/?#].*)?)$/i.exec(text.trim()) ?? []
  if (!scheme) throw new AlprError('ALPR_ERR_USAGE', { reason: '--url is not an address like rtsp://host/path' })
  if (rest.includes('@'))
    throw new AlprError('ALPR_ERR_USAGE', {
      reason: 'in --url write %40 for an @ of the path, and %2F, %3F, %23 for the characters / ? # of a password',
    })
  const plain = `${scheme}${rest}`
  const url = redact(plain)
  const colon = userInfo?.indexOf(':') ?? -1
  const login =
    userInfo === undefined
      ? {}
      : {
          user: decoded(colon < 0 ? userInfo : userInfo.slice(0, colon)),
          password: decoded(colon < 0 ? '' : userInfo.slice(colon + 1)),
        }
  const whole = url === plain ? {} : { url: plain }
  const secret = { ...login, ...whole }
  return { url, secret: Object.keys(secret).length === 0 ? undefined : secret }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a % of a password that is not encoded
  }
}

/** The part `live` of a camera's record. */
export function liveRecord(address: CameraAddress | undefined, options: LiveOptions): LiveCamera | undefined {
  if (!address) return undefined
  const { transport, fps, motionGate, tls } = options
  return { url: address.url, transport, fps, ...(motionGate ? {} : { motionGate }), tls }
}

/** Stores the credentials of a camera, or removes them. */
export async function keepSecret(settings: Settings, camera: string, secret: CameraSecret | undefined): Promise<void> {
  const { dataPaths } = await loadEngine()
  await saveCameraSecret(dataPaths(settings).secrets, camera, secret)
}
