import { randomBytes } from 'node:crypto'
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AlprError, reasonOf } from '../errors.js'

/** The tokens of one installation. Each is 256 random bits in hexadecimal. */
export interface Secrets {
  /** Of the private nats-server. */
  nats: string
  /** Of the store process. */
  store: string
  /** Of the console: its holder may enrol at the gateway. */
  console: string
}

const kNames = ['nats', 'store', 'console'] as const

/**
 * The secrets of a data folder, created at the first call. Only the owner may read the file; if others may (a copy or a
 * backup can cause that), their permission is removed. Never log the result.
 * @throws ALPR_ERR_SETTINGS_INVALID when the file is damaged
 */
export function loadSecrets(file: string): Secrets {
  const found = read(file)
  if (found) return found
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const secrets = Object.fromEntries(
    kNames.map((name) => [name, randomBytes(32).toString('hex')]),
  ) as unknown as Secrets
  // Written to a temporary file and linked: two processes that start together end up with one file, and nobody reads
  // half of it.
  const temporary = `${file}.${process.pid}.new`
  writeFileSync(temporary, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(temporary, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(temporary, { force: true })
  }
  return read(file)!
}

function read(file: string): Secrets | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason: reasonOf(error) }, { cause: error })
  }
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
  let value: Partial<Secrets>
  try {
    value = JSON.parse(text) as Partial<Secrets>
  } catch {
    value = {}
  }
  for (const name of kNames) {
    if (typeof value?.[name] !== 'string' || !/^[0-9a-f]{32,}$/.test(value[name])) {
      throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason: `"${name}" is missing or damaged` })
    }
  }
  return value as Secrets
}
