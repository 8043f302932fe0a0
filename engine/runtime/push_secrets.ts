import { createHash, randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { AlprError } from '../errors.js'
import { sleep } from './backoff.js'

/** The realm that the push door names. Some cameras compute with an empty one, whatever realm they are asked for. */
export const PUSH_REALM = 'platestream'

/** What the secrets file keeps of the credential of a camera that pushes: from none of it the secret can be found. */
export interface PushCredential {
  /** SHA-256 of the secret, hexadecimal. */
  secret: string
  /** MD5 of `camera:realm:secret` for HTTP digest, with our realm and with an empty one. */
  digest: string
  digestEmptyRealm: string
}

/** 192 random bits as 32 characters: cameras cut longer passwords off. */
const kSecretBytes = 24
/** A lock that is older was left behind by a process that died, ms. */
const kLockMs = 10_000

/** A new secret for a camera, and what is kept of it. */
export function newPushSecret(camera: string): { secret: string; credential: PushCredential } {
  const secret = randomBytes(kSecretBytes).toString('base64url')
  const md5 = (realm: string) => createHash('md5').update(`${camera}:${realm}:${secret}`).digest('hex')
  return { secret, credential: { secret: sha256(secret), digest: md5(PUSH_REALM), digestEmptyRealm: md5('') } }
}

/**
 * Stores or removes (undefined) the credential of a camera in the secrets file, which must exist. Whoever changes the
 * file at the same time waits.
 * @throws ALPR_ERR_SETTINGS_INVALID when the file cannot be read or stays locked
 */
export async function savePushCredential(
  file: string,
  camera: string,
  credential: PushCredential | undefined,
): Promise<void> {
  const lock = `${file}.lock`
  await acquire(lock, file)
  try {
    const value = readFile(file)
    const push = { ...(value.push as Record<string, PushCredential> | undefined) }
    if (credential) push[camera] = credential
    else delete push[camera]
    const temporary = `${file}.${process.pid}.new`
    writeFileSync(temporary, `${JSON.stringify({ ...value, push }, null, 2)}\n`, { mode: 0o600 })
    renameSync(temporary, file)
  } finally {
    rmSync(lock, { force: true })
  }
}

/** The credentials of the cameras that push, as the secrets file has them now. */
export class PushCredentials {
  private push: Record<string, PushCredential> = {}
  private seen = ''

  constructor(private readonly file: string) {}

  /** @returns undefined for a camera without one, or while the file cannot be read */
  of(camera: string): PushCredential | undefined {
    const { mtimeMs = 0, size = 0, ino = 0 } = statSync(this.file, { throwIfNoEntry: false }) ?? {}
    const now = `${mtimeMs} ${size} ${ino}`
    if (now !== this.seen) {
      try {
        this.push = (readFile(this.file).push ?? {}) as Record<string, PushCredential>
        this.seen = now
      } catch {
        this.push = {}
      }
    }
    const found = Object.hasOwn(this.push, camera) ? this.push[camera] : undefined
    const isWhole = [found?.secret, found?.digest, found?.digestEmptyRealm].every((text) => typeof text === 'string')
    return isWhole ? found : undefined
  }
}

async function acquire(lock: string, file: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return closeSync(openSync(lock, 'wx', 0o600))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unreadable(file)
      const { mtimeMs = Date.now() } = statSync(lock, { throwIfNoEntry: false }) ?? {}
      if (Date.now() - mtimeMs > kLockMs) rmSync(lock, { force: true })
      else await sleep(100)
    }
  }
  throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason: 'another command keeps it locked' })
}

function readFile(file: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  } catch {
    // The parser's words quote the file.
    throw unreadable(file)
  }
}

const unreadable = (file: string): AlprError =>
  new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason: 'it cannot be read as the secrets of this folder' })

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
