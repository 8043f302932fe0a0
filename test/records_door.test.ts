import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Command } from 'commander'
import { allCommands } from '../cli/program.js'
import { AlprError } from '../engine/runtime/mod.js'
import type { AccessGate } from '../engine/mod.js'
import { OpenGate } from './engine/records/test_records.js'
import { PLAIN } from './engine/canvass/spy.js'
import { ConsoleClient } from './gateway/fixtures/console_client.js'
import { BEARER, startTestGateway } from './gateway/fixtures/gateway.js'
import { until } from './until.js'

/**
 * Every way in which something leaves for a person: each asks the access gate, or is on a list of exceptions with the
 * reason. A new route, WebSocket message or command fails here until somebody has decided which.
 */

type Method = 'GET' | 'POST' | 'DELETE'

/** Routes with plate data: a valid request for each. */
const GATED: Record<string, { method: Method; url: string; payload?: object }> = {
  'GET /api/reads': { method: 'GET', url: '/api/reads' },
  'GET /api/hits': { method: 'GET', url: '/api/hits' },
  'GET /api/ledger': { method: 'GET', url: '/api/ledger' },
  'GET /api/crops/:segment/:offset/:length': { method: 'GET', url: '/api/crops/2026-W47-a.crops/0/20' },
  ...Object.fromEntries(
    Object.entries(PLAIN).map(([kind, payload]) => {
      const url = `/api/canvass/${kind}`
      return [`POST ${url}`, { method: 'POST' as const, url, payload }]
    }),
  ),
}

/** Routes without plate data, and why each has none. */
const EXCEPT_ROUTES: [RegExp, string][] = [
  [/^GET \/(healthz|readyz|metrics)$/, 'state of the system: counts and ages, no plate'],
  [/^GET \/api\/status$/, 'state of the system: rates and delays, no plate'],
  [/^GET \/api\/(cameras|hotlists)$/, 'registry: cameras, and hot lists without their entries'],
  [/^(GET|POST|DELETE) \/api\/session$/, 'signs in and out'],
  [/^(GET|OPTIONS) \/docs(\/|$)/, 'the OpenAPI document'],
  [
    /^GET \/(icon\.svg|[a-z_]+(\.(js|css|map|js\.map|css\.map|wasm|psm))?)?$/,
    'static pages: code and style without data',
  ],
]

/** Commands with plate data. `--purpose` is what they have in common. */
const GATED_COMMANDS = [
  ...Object.keys(PLAIN).map((kind) => `ask ${kind}`),
  'hotlist preview',
  'partial list',
  'dead show',
  'record',
  'backup',
]

/** Commands without plate data for a person, and why. */
const EXCEPT_COMMANDS: Record<string, string> = {
  up: 'starts the parts',
  'sign-in': 'the access token, for who owns the data folder',
  store: "starts the embedded store; its token is the operator's",
  'store migrate': 'changes tables, shows none',
  'store check': 'counts rows of rollups',
  'store purge': 'deletes a week, shows counts',
  engine: 'a part of the system',
  gateway: 'a part of the system',
  ingest: 'a part of the system',
  recognize: 'reads a file that the person has',
  'feed render': 'draws synthetic traffic',
  import: 'writes a feed from files that the person has',
  replay: 'publishes a file that the person has',
  match: 'searches a file that the person has',
  'camera add': 'registry',
  'camera list': 'registry',
  'camera remove': 'registry',
  'camera show': 'registry',
  'hotlist import': 'takes a list in',
  'hotlist list': 'names, ages and sizes of lists, no entry',
  'hotlist set': 'changes a rule of a list',
  'hotlist remove': 'removes a list',
  'partial add': 'takes a pattern in',
  'partial remove': 'removes a pattern',
  'partitions show': 'counts of messages',
  'partitions set': 'changes how cameras are divided',
  'dead list': 'reasons and headers, no payload',
  'dead redrive': 'publishes to the engines, shows a count',
  'dead drop': 'deletes, shows a count',
  restore: 'takes a backup in',
  doctor: 'state of the system',
}

const refusing: AccessGate = {
  begin: async () => {
    throw new AlprError('ALPR_ERR_AUTH_REQUIRED')
  },
}

/** `METHOD /path` of every route, hidden ones too, from the tree that fastify prints. HEAD is GET without a body. */
function routesOf(tree: string): string[] {
  const prefixes: string[] = []
  return tree.split('\n').flatMap((line) => {
    const [, indent, segment, methods] = /^([ │├└─]*)(\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? []
    if (segment === undefined) return []
    // Four characters a level; each line is a piece of the path after its parent's.
    const depth = indent!.length / 4
    prefixes[depth] = (depth > 1 ? prefixes[depth - 1]! : '') + segment
    const all = methods?.split(', ').filter((method) => method !== 'HEAD') ?? []
    return all.map((method) => `${method} ${prefixes[depth]}`)
  })
}

t.test('every HTTP route asks the access gate or is a named exception', async (t) => {
  const gate = new OpenGate()
  const { app } = await startTestGateway(t, { gate })
  const routes = routesOf(app.printRoutes({ commonPrefix: false }))
  t.ok(routes.length > 20, 'the list of routes is read')
  for (const route of routes)
    if (!(route in GATED))
      t.ok(
        EXCEPT_ROUTES.some(([pattern]) => pattern.test(route)),
        `${route} is gated or an exception`,
      )
  for (const [route, request] of Object.entries(GATED)) {
    t.ok(routes.includes(route), `${route} exists`)
    const before = gate.begun.length
    await app.inject({ ...request, headers: BEARER })
    t.equal(gate.begun.length, before + 1, `${route} begins one access`)
    t.equal(gate.ended.length, gate.begun.length, `${route} ends it`)
  }
  for (const { who, purpose, session } of gate.begun) t.ok(who && purpose && session)
})

t.test('a gate that refuses keeps every gated route from reading', async (t) => {
  const { app, archive } = await startTestGateway(t, { gate: refusing })
  for (const [route, request] of Object.entries(GATED))
    t.equal((await app.inject({ ...request, headers: BEARER })).statusCode, 401, route)
  t.same(archive.asked, [])
})

t.test('a console is an access from subscribe to close', async (t) => {
  const gate = new OpenGate()
  const { url } = await startTestGateway(t, { gate })
  const client = await ConsoleClient.open(t, url)
  await client.until((c) => c.status !== undefined, 'the status')
  t.same(gate.begun, [], 'a console that has not subscribed has accessed nothing')
  client.subscribe({ cameras: ['c1'] })
  await client.until(() => gate.begun.length === 1, 'the access')
  t.match(gate.begun[0], { kind: 'live', form: 'live', input: { cameras: ['c1'] }, who: 'service' })
  client.subscribe({ cameras: ['c2'] })
  await client.until(() => gate.begun.length === 2, 'the access of the next subscription')
  t.same(gate.ended, [{ rows: 0 }], 'which ends the previous one')
  client.socket.close()
  await until(() => gate.ended.length === 2)
  t.same(gate.ended, [{ rows: 0 }, { rows: 0 }], 'a console that closes ends its access')
})

t.test('a console whose access is refused gets the reason and is closed', async (t) => {
  const { url } = await startTestGateway(t, { gate: refusing })
  const client = await ConsoleClient.open(t, url, {})
  await client.until((c) => c.closed !== undefined, 'the close')
  t.match(client.of('error'), [{ code: 'ALPR_ERR_AUTH_REQUIRED' }])
  t.equal(client.closed!.code, 4401)
})

/** Names of the commands that do something, such as `dead list`. */
function namesOf(command: Command, prefix = ''): [string, Command][] {
  return command.commands.flatMap((one): [string, Command][] => {
    const name = `${prefix}${one.name()}`
    const own: [string, Command][] = one.commands.length === 0 || name === 'store' ? [[name, one]] : []
    return [...own, ...namesOf(one, `${name} `)]
  })
}

t.test('every command asks the access gate or is a named exception', async (t) => {
  const commands = namesOf(await allCommands())
  const names = commands.map(([name]) => name)
  t.same(names.sort(), [...GATED_COMMANDS, ...Object.keys(EXCEPT_COMMANDS)].sort())
  for (const [name, command] of commands) {
    const hasPurpose = command.options.some(({ long }) => long === '--purpose')
    t.equal(hasPurpose, GATED_COMMANDS.includes(name), `${name} ${hasPurpose ? 'has' : 'has no'} --purpose`)
  }
})

/** Who runs statements or subscribes without the records door, and why no plate data leaves. */
const DIRECT: Record<string, string> = {
  'cli/system.ts': 'connects the commands below',
  'cli/commands/backup.ts': 'gives the connections to writeBackup, which asks the gate',
  'cli/commands/engine.ts': 'a part of the system',
  'cli/commands/restore.ts': 'takes a backup in',
  'cli/commands/store.ts': 'migrate, check and purge show counts',
  'cli/access.ts': 'gives the connection to openRecords',
  'cli/commands/ingest.ts': 'a part of the system',
  'cli/supervise/ingest_part.ts': 'the supervisor: whether a camera has an address',
  'cli/commands/up.ts': 'the supervisor: tables and cameras of the demonstration',
  'cli/doctor/checks.ts': 'versions and states of streams',
  'gateway/live/nats_link.ts': 'the connection that hits come over, for consoles with a ticket',
}

t.test('only named files of gateway and cli connect to the store or NATS by themselves', async (t) => {
  const found = ['cli', 'gateway'].flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .map((name) => join(folder, String(name)))
      .filter(
        (file) => file.endsWith('.ts') && /\b(createClient|connectNats|withStore)\b/.test(readFileSync(file, 'utf8')),
      ),
  )
  t.same(found.sort(), Object.keys(DIRECT).sort())
})
