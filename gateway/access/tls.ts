import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import { AlprError, logReasonOf, reasonOf } from '../../engine/runtime/mod.js'

/** Files in PEM; empty: none. */
export interface TlsSettings {
  key: string
  cert: string
  /** Certificates that sign those of clients. */
  clientCa: string
}

/** The files are looked at this often, ms: certificates are renewed while the gateway runs. */
const kLookMs = 60_000

/**
 * Reads and checks key, certificate and authority.
 * @param section where the settings are, such as `gateway.tls`
 * @returns undefined where no TLS is set
 * @throws ALPR_ERR_SETTINGS_INVALID with the setting whose file is missing, unreadable or does not fit the others
 */
export function readTls({ key, cert, clientCa }: TlsSettings, section: string): SecureContextOptions | undefined {
  const invalid = (name: keyof TlsSettings, reason: string) =>
    new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: `${section}.${name}`, reason })
  const read = (name: keyof TlsSettings, file: string) => {
    try {
      return readFileSync(file)
    } catch (error) {
      throw invalid(name, `the file cannot be read: ${reasonOf(error)}`)
    }
  }
  if (!key && !cert) {
    if (clientCa) throw invalid('clientCa', `needs ${section}.key and ${section}.cert`)
    return undefined
  }
  if (!key || !cert) throw invalid(key ? 'cert' : 'key', 'is missing: a key and a certificate belong together')
  const options = {
    key: read('key', key),
    cert: read('cert', cert),
    ...(clientCa && { ca: read('clientCa', clientCa) }),
    minVersion: 'TLSv1.2' as const,
  }
  try {
    createSecureContext(options)
  } catch (error) {
    throw invalid('cert', `cannot be used with the key and the authority: ${reasonOf(error)}`)
  }
  return options
}

/** Uses renewed files for new connections; files that cannot be used are logged, and the previous ones stay. */
export function followTls(
  server: Server,
  settings: TlsSettings,
  section: string,
  log: Logger,
  lookMs = kLookMs,
): { stop(): void } {
  let seen = changedAt(settings)
  const timer = setInterval(() => {
    const now = changedAt(settings)
    if (now === seen) return
    seen = now
    try {
      server.setSecureContext(readTls(settings, section)!)
      log.info({ section }, 'the renewed certificate is in use')
    } catch (error) {
      log.warn(
        { section, reason: logReasonOf(error) },
        'the changed certificate cannot be used; the previous one stays',
      )
    }
  }, lookMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Changes when one of the files does. */
function changedAt({ key, cert, clientCa }: TlsSettings): string {
  return [key, cert, clientCa].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0).join()
}
