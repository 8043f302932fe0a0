import { type Command, InvalidArgumentError } from 'commander'
import type { PushCredentialKind, PushKind, Settings } from '../engine/mod.js'
import { AlprError, loadSecrets, newPushSecret, PushCredentials, savePushCredential } from '../engine/runtime/mod.js'
import { printLine, printNote } from './output.js'
import { oneOf } from './parse.js'
import { loadEngine } from './system.js'

/** PUSH_KINDS and PUSH_CREDENTIALS of the engine (a test compares them): its schemas load too slowly for --help. */
export const PUSH_NAMES = [
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
export const CREDENTIAL_NAMES = ['path', 'bearer', 'basic', 'digest', 'certificate'] as const

/** Options of a camera that pushes. */
export interface PushOptions {
  push?: PushKind
  credential?: PushCredentialKind[]
  zone?: string
  address?: string[]
  certificate?: string
  newSecret?: boolean
}

export function withPushOptions(command: Command): Command {
  return command
    .option(
      '--push <kind>',
      `it sends to the push door (docs/push-cameras.md): ${PUSH_NAMES.join(', ')}`,
      oneOf(...PUSH_NAMES),
    )
    .option(
      '--credential <kinds>',
      `how it proves who it is: any of ${CREDENTIAL_NAMES.join(',')} (default: path,bearer)`,
      listOf(CREDENTIAL_NAMES),
    )
    .option('--zone <name>', 'zone of times that it sends without one, such as America/New_York')
    .option(
      '--address <ranges>',
      'addresses that it sends from, such as 10.1.0.0/16,192.0.2.7 (default: any)',
      listOf(),
    )
    .option(
      '--certificate <sha256>',
      'fingerprint of its client certificate (default: its common name is the id)',
      fingerprint,
    )
    .option('--new-secret', 'with --replace: a new secret in place of the one that the camera has')
}

/** The part of a record that makes a camera one that pushes. @throws ALPR_ERR_USAGE for options that need --push */
export function pushOf({ push: kind, credential, zone, address, certificate, newSecret }: PushOptions) {
  if (kind === undefined) {
    const [without] =
      Object.entries({ credential, zone, address, certificate, newSecret }).find(([, value]) => value) ?? []
    if (without)
      throw new AlprError('ALPR_ERR_USAGE', {
        reason: `--${without.replace('newSecret', 'new-secret')} is for a camera that pushes: give --push too`,
      })
    return undefined
  }
  return { kind, credentials: credential ?? (['path', 'bearer'] as const), zone, addresses: address, certificate }
}

/** Creates the secret of a camera that has none, and shows it this once: only what it is compared with is kept. */
export async function showPushSecret(
  id: string,
  credentials: readonly PushCredentialKind[],
  settings: Settings,
  { renew = false, say = printLine }: { renew?: boolean; say?: (line: string) => void },
): Promise<void> {
  const { dataPaths } = await loadEngine()
  const file = dataPaths(settings).secrets
  loadSecrets(file)
  const { port, host, cert } = settings.push
  const machine = port === undefined || host === '127.0.0.1' ? '<this machine>' : host
  const address = `${cert ? 'https' : 'http'}://${machine}:${port || '<port>'}`
  const has = (kind: PushCredentialKind) => credentials.includes(kind)
  const isKept = !renew && new PushCredentials(file).of(id) !== undefined
  const { secret, credential } = newPushSecret(id)
  if (isKept) printNote('the camera keeps its secret; --new-secret with --replace makes another')
  else await savePushCredential(file, id, credential)
  const shown = isKept ? '<secret>' : secret
  if (has('path')) say(`path       ${address}/push/${id}/${shown}`)
  if (has('bearer')) say(`bearer     ${address}/push/${id} with the header Authorization: Bearer ${shown}`)
  if (has('basic') || has('digest'))
    say(`${has('digest') ? 'digest' : 'basic '}     ${address}/push/${id} with user ${id}, password ${shown}`)
  if (has('certificate')) say('certificate: signed by one of push.clientCa')
  if (!isKept && credentials.some((kind) => kind !== 'certificate')) printNote('the secret is shown only now')
  if (port === undefined)
    printNote('the door is closed: set push.port (docs/push-cameras.md), then restart the gateway')
}

/** Removes what is kept of the secret of a camera that was removed. */
export async function forgetPushSecret(id: string, settings: Settings): Promise<void> {
  const file = (await loadEngine()).dataPaths(settings).secrets
  if (new PushCredentials(file).of(id)) await savePushCredential(file, id, undefined)
}

function listOf<T extends string>(allowed?: readonly T[]): (text: string) => T[] {
  return (text) => {
    const items = text.split(',').map((item) => item.trim()) as T[]
    const odd = items.find((item) => item === '' || (allowed && !allowed.includes(item)))
    if (odd !== undefined)
      throw new InvalidArgumentError(`"${odd}" is none of ${allowed?.join(', ') ?? 'a list separated by commas'}.`)
    return items
  }
}

function fingerprint(text: string): string {
  const hex = text.replaceAll(':', '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new InvalidArgumentError('It must be the SHA-256 of a certificate, 64 hex digits.')
  return hex
}
