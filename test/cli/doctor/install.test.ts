import t from 'tap'
import { ensurePrograms, type Machine } from '../../../cli/doctor/install.js'
import { SYSTEM_PROGRAMS } from '../../../cli/doctor/programs.js'

/** A machine without nats-server until apt-get installs it. */
const machine = (more: Partial<Machine> = {}, install: { code: number; output: string } = { code: 0, output: '' }) => {
  const ran: string[] = []
  let installed = false
  const run: Machine['run'] = async (command) => {
    ran.push(command.join(' '))
    if (!command.includes('install')) return { code: 0, output: '' }
    installed = install.code === 0
    return install
  }
  const missing: Machine['missing'] = () =>
    installed ? [] : SYSTEM_PROGRAMS.filter((program) => program.name === 'nats-server')
  return { ran, machine: { missing, has: () => true, isRoot: () => true, hasSystemd: () => false, run, ...more } }
}
const INSTALL = 'env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nats-server'

t.test('root runs apt-get update and install, and the install is announced', async (t) => {
  const { ran, machine: host } = machine()
  const messages: string[] = []
  await ensurePrograms('start', (text) => messages.push(text), host)
  t.same(ran, ['apt-get update -qq', INSTALL])
  t.same(messages, ['installing nats-server (apt-get)'])
})

t.test('passwordless sudo installs, and the service of the package is disabled', async (t) => {
  const { ran, machine: host } = machine({ isRoot: () => false, hasSystemd: () => true })
  await ensurePrograms('start', () => {}, host)
  t.same(ran, [
    'sudo -n true',
    'sudo -n apt-get update -qq',
    `sudo -n ${INSTALL}`,
    'sudo -n systemctl disable --now nats-server.service',
  ])
})

t.test('without root or passwordless sudo, one line says exactly what to install', async (t) => {
  const line = {
    code: 'ALPR_ERR_SYSTEM_MISSING',
    message:
      'nats-server is missing on this machine; ' +
      'install with: sudo apt-get update && sudo apt-get install -y nats-server',
  }
  const asks = machine({ isRoot: () => false, run: async () => ({ code: 1, output: 'a password is required' }) })
  await t.rejects(
    ensurePrograms('start', () => {}, asks.machine),
    line,
  )
  await t.rejects(
    ensurePrograms('start', () => {}, machine({ isRoot: () => false, has: (name) => name !== 'sudo' }).machine),
    line,
  )
  await t.rejects(
    ensurePrograms('start', () => {}, machine({ has: () => false }).machine),
    line,
  )
})

t.test('a failed installation reports the error of apt-get', async (t) => {
  const { machine: host } = machine({}, { code: 100, output: 'Reading ...\nE: Unable to locate package nats-server\n' })
  await t.rejects(
    ensurePrograms('start', () => {}, host),
    { message: /-y nats-server \(automatic installation failed: E: Unable to locate package nats-server\)$/ },
  )
})

t.test('nothing runs when nothing is missing', async (t) => {
  const { ran, machine: host } = machine({ missing: () => [] })
  await ensurePrograms('test', () => {}, host)
  t.same(ran, [])
})
