import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { findProgram } from '../../engine/mod.js'
import { AlprError } from '../../engine/runtime/mod.js'
import { missingPrograms, type SystemProgram } from './programs.js'

/** The machine that programs are installed on; tests replace it. */
export interface Machine {
  missing(purpose: 'start' | 'test'): SystemProgram[]
  has(program: string): boolean
  isRoot(): boolean
  hasSystemd(): boolean
  /** Runs a program without a terminal. */
  run(command: string[]): Promise<{ code: number; output: string }>
}

const kThisMachine: Machine = {
  missing: missingPrograms,
  has: (program) => findProgram(program) !== undefined,
  isRoot: () => process.getuid?.() === 0,
  hasSystemd: () => existsSync('/run/systemd/system'),
  run,
}

/**
 * Installs the missing programs that `purpose` needs with apt-get, where that works without a question: as root or with
 * passwordless sudo. Does nothing when no program is missing.
 * @throws ALPR_ERR_SYSTEM_MISSING with the one command that a person has to run
 */
export async function ensurePrograms(
  purpose: 'start' | 'test',
  say: (text: string) => void,
  machine = kThisMachine,
): Promise<void> {
  const missing = machine.missing(purpose)
  if (missing.length === 0) return
  const as = await rootPrefix(machine)
  if (!as) throw cannotInstall(missing)
  const packages = missing.map((program) => program.package)
  say(`installing ${packages.join(', ')} (apt-get)`)
  // A new machine has no package lists yet. A failure here (one dead mirror) does not mean that the install fails.
  await machine.run([...as, 'apt-get', 'update', '-qq'])
  const { code, output } = await machine.run([
    ...as,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    ...packages,
  ])
  const still = machine.missing(purpose)
  if (code !== 0 || still.length > 0) {
    const line =
      output
        .trim()
        .split('\n')
        .reverse()
        .find((l) => l.startsWith('E:')) ?? `apt-get exited with code ${code}`
    throw cannotInstall(still.length > 0 ? still : missing, line.trim())
  }
  for (const service of packages.map((name) => SERVICES[name]))
    if (service) await disableService(service, as, say, machine)
}

/** The prefix that runs a command as root without a question: empty for root, sudo, or undefined if neither works. */
async function rootPrefix(machine: Machine): Promise<string[] | undefined> {
  if (!machine.has('apt-get')) return undefined
  if (machine.isRoot()) return []
  if (machine.has('sudo') && (await machine.run(['sudo', '-n', 'true'])).code === 0) return ['sudo', '-n']
  return undefined
}

/** Services that Debian packages start. */
const SERVICES: Record<string, string> = { 'nats-server': 'nats-server', 'nginx-light': 'nginx', caddy: 'caddy' }

/**
 * A Debian package starts a service that listens on all addresses, nats-server without a password. It was installed
 * just now, so nobody relies on it.
 */
async function disableService(
  service: string,
  as: string[],
  say: (text: string) => void,
  machine: Machine,
): Promise<void> {
  if (!machine.hasSystemd()) return
  const { code } = await machine.run([...as, 'systemctl', 'disable', '--now', `${service}.service`])
  if (code === 0) say(`disabled the ${service} service of the package: it would listen on all addresses`)
}

function cannotInstall(missing: readonly SystemProgram[], why?: string): AlprError {
  const packages = missing.map((program) => program.package).join(' ')
  return new AlprError('ALPR_ERR_SYSTEM_MISSING', {
    what: missing.map((program) => program.name).join(', '),
    remedy:
      `install with: sudo apt-get update && sudo apt-get install -y ${packages}` +
      `${why ? ` (automatic installation failed: ${why})` : ''}`,
  })
}

/** Runs a program and keeps the last 64 KiB of its output, for the error message. */
function run([command, ...args]: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const take = (data: Buffer) => {
      output = (output + data.toString('utf8')).slice(-65_536)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.once('error', (error) => resolve({ code: 127, output: error.message }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
