import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { AlprError } from '../errors.js'
import { sleep } from './backoff.js'
import { loadSecrets } from './secrets.js'

/** What a camera asks for before it sends pictures. */
export interface CameraSecret {
  user?: string
  password?: string
  /** The whole address, when it holds a secret besides user and password. */
  url?: string
}

/** How long another process may hold the lock of the file, ms. */
const kLockMs = 5_000

/**
 * The credentials of a camera from the secrets file of a data folder; undefined when it has none. Never log the result.
 * @throws ALPR_ERR_SETTINGS_INVALID when the file is damaged
 */
export function readCameraSecret(file: string, camera: string): CameraSecret | undefined {
  const { cameras } = loadSecrets(file) as { cameras?: unknown }
  if (cameras === undefined) return undefined
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const secret = isObject(cameras) ? cameras[camera] : null
  if (secret === undefined) return undefined
  if (!isObject(secret) || Object.values(secret).some((value) => typeof value !== 'string'))
    throw new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: file, reason: `"cameras.${camera}" is damaged` })
  return secret as CameraSecret
}

/**
 * Stores the credentials of a camera, or removes them. The file is replaced as a whole: a reader sees the old or the
 * new one.
 * @throws ALPR_ERR_SETTINGS_INVALID when the file is damaged, or another process holds its lock for seconds
 */
export async function saveCameraSecret(file: string, camera: string, secret: CameraSecret | undefined): Promise<void> {
  loadSecrets(file)
  const unlock = await lock(`${file}.lock`)
  try {
    const content = JSON.parse(readFileSync(file, 'utf8')) as { cameras?: Record<string, CameraSecret> }
    const cameras = { ...content.cameras }
    if (secret) cameras[camera] = secret
    else if (!(camera in cameras)) return
    else delete cameras[camera]
    const temporary = `${file}.${process.pid}.new`
    writeFileSync(temporary, `${JSON.stringify({ ...content, cameras }, null, 2)}\n`, { mode: 0o600 })
    renameSync(temporary, file)
  } finally {
    unlock()
  }
}

async function lock(file: string): Promise<() => void> {
  const deadline = performance.now() + kLockMs
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
      return () => rmSync(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (performance.now() > deadline)
        throw new AlprError('ALPR_ERR_SETTINGS_INVALID', {
          key: file,
          reason: 'another process is changing the secrets; if none is, delete this file',
        })
      await sleep(50)
    }
  }
}
