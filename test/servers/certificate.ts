import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Teardown } from './nats.js'

/** Files of a certificate that signed itself, and its text for clients that trust it. */
export interface TestCertificate {
  key: string
  cert: string
  pem: string
}

/** Makes a certificate for these host names, valid for a day. Needs openssl, which Debian's certificates bring. */
export function makeCertificate(t: Teardown, ...names: string[]): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-certificate-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const alternatives = [...names.map((name) => `DNS:${name}`), 'IP:127.0.0.1'].join(',')
  const command = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const files = ['-keyout', key, '-out', cert, '-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`]
  execFileSync('openssl', [...command, ...files], { stdio: 'ignore' })
  return { key, cert, pem: readFileSync(cert, 'utf8') }
}
