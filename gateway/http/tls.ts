import { readFileSync, statSync } from 'node:fs'
import type { Server } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { createSecureContext } from 'node:tls'
import type { Logger } from 'pino'
import { AlprError, logReasonOf, reasonOf } from '../../engine/runtime/mod.js'
import type { Settings } from '../../engine/mod.js'

export type TlsSettings = Settings['gateway']['tls']

/** The files are looked at this often, ms: certificates are renewed while the gateway runs. */
const kLookMs = 60_000

/**
 * Reads and checks key, certificate and authority.
 * @throws ALPR_ERR_SETTINGS_INVALID with the setting whose file is missing, unreadable or does not fit the others
 */
export function readTls(settings: TlsSettings): SecureContextOptions & { requestCert: boolean } {
  const { key, cert, clientCa } = settings
  if (!key || !cert) throw invalid(key ? 'cert' : 'key', 'is missing: a key and a certificate belong together')
  const options = {
    key: read(settings, 'key'),
    cert: read(settings, 'cert'),
    ...(clientCa && { ca: read(settings, 'clientCa') }),
    minVersion: 'TLSv1.2' as const,
    requestCert: clientCa !== '',
  }
  try {
    createSecureContext(options)
  } catch (error) {
    throw invalid('cert', `cannot be used with the key and the authority: ${reasonOf(error)}`)
  }
  return options
}

/** Uses renewed files for new connections; files that cannot be used are logged, and the previous ones stay. */
export function followTls(server: Server, settings: TlsSettings, log: Logger, lookMs = kLookMs): { stop(): void } {
  let seen = changedAt(settings)
  const timer = setInterval(() => {
    const now = changedAt(settings)
    if (now === seen) return
    seen = now
    try {
      server.setSecureContext(readTls(settings))
      log.info('the renewed certificate is in use')
    } catch (error) {
      log.warn({ reason: logReasonOf(error) }, 'the changed certificate cannot be used; the previous one stays')
    }
  }, lookMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

/** Changes when one of the files does. */
function changedAt({ key, cert, clientCa }: TlsSettings): string {
  return [key, cert, clientCa].map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0).join()
}

function read(settings: TlsSettings, name: keyof TlsSettings): Buffer {
  try {
    return readFileSync(settings[name])
  } catch (error) {
    throw invalid(name, `the file cannot be read: ${reasonOf(error)}`)
  }
}

const invalid = (name: keyof TlsSettings, reason: string): AlprError =>
  new AlprError('ALPR_ERR_SETTINGS_INVALID', { key: `gateway.tls.${name}`, reason })
