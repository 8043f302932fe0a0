import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { loadSettings, settingsTable } from '../../engine/settings.js'

const invalid = (key: string) => ({ code: 'ALPR_ERR_SETTINGS_INVALID', details: { key } })
const load = (env: NodeJS.ProcessEnv, file?: string) => loadSettings({ env, file })

t.test('defaults are safe: loopback, private servers, frozen', async (t) => {
  const settings = load({})
  t.match(settings, {
    nats: { url: '', partitions: undefined },
    clickhouse: { url: '' },
    gateway: { host: '127.0.0.1' },
  })
  t.throws(() => {
    ;(settings as { gateway: { host: string } }).gateway.host = '0.0.0.0'
  }, TypeError)
})

t.test('a variable sets one key, as a number only where the schema has one', async (t) => {
  const settings = load({
    PLATESTREAM_ENGINE_WORKERS: '3',
    PLATESTREAM_ENGINE_FRAME_TIMEOUT_MS: '900',
    PLATESTREAM_NATS_TOKEN: '12345',
    PLATESTREAM_DATA_FOLDER: '/tmp/x',
  })
  t.match(settings, { engine: { workers: 3, frameTimeoutMs: 900 }, nats: { token: '12345' }, dataFolder: '/tmp/x' })
})

t.test('the usual names of addresses are taken; the number of partitions is stored unless it is set', async (t) => {
  t.match(load({ NATS_URL: 'nats://n:4222', CLICKHOUSE_URL: 'http://c:8123' }), {
    nats: { url: 'nats://n:4222', partitions: undefined },
    clickhouse: { url: 'http://c:8123' },
  })
  t.match(load({ NATS_URL: 'nats://n:4222', PLATESTREAM_NATS_PARTITIONS: '8' }), { nats: { partitions: 8 } })
})

t.test('an unknown key, a wrong type and a value out of range are refused with the name of the key', async (t) => {
  t.throws(() => load({ PLATESTREAM_ENGIN_WORKERS: '3' }), invalid('PLATESTREAM_ENGIN_WORKERS'))
  t.throws(() => load({ PLATESTREAM_ENGINE_WORKERS: 'many' }), invalid('engine.workers'))
  t.throws(() => load({ PLATESTREAM_ENGINE_WORKERS: '0' }), invalid('engine.workers'))
  t.throws(() => load({ PLATESTREAM_GATEWAY_PORT: '70000' }), invalid('gateway.port'))
})

t.test('a setting of an earlier version is refused, and the message says what to do instead', async (t) => {
  const remedy = /engine.hitThreshold: each hot list has its own threshold: .* `platestream hotlist set/
  t.throws(() => load({ PLATESTREAM_ENGINE_HIT_THRESHOLD: '0.7' }), { message: remedy })
})

t.test('a file is validated as strictly as variables, and variables override it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-settings-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'platestream.config.json')
  const write = (value: unknown) => writeFileSync(file, typeof value === 'string' ? value : JSON.stringify(value))
  write({ engine: { workers: 5, passGapMs: 2_000 } })
  t.match(load({ PLATESTREAM_ENGINE_WORKERS: '6' }, file), { engine: { workers: 6, passGapMs: 2_000 } })
  write({ engine: { worker: 5 } })
  t.throws(() => load({}, file), invalid('engine.worker'))
  write({ engine: { workers: '5x' } })
  t.throws(() => load({}, file), invalid('engine.workers'))
  write({ engine: 5 })
  t.throws(() => load({ PLATESTREAM_ENGINE_WORKERS: '6' }, file), invalid('engine'))
  write(null)
  t.throws(() => load({}, file), invalid(file))
  write('{ not json')
  t.throws(() => load({}, file), invalid(file))
  t.throws(() => load({}, join(folder, 'absent.json')), { code: 'ALPR_ERR_SETTINGS_INVALID' })
})

t.test('docs/settings.md lists every setting with its default and meaning', async (t) => {
  const lines = readFileSync('docs/settings.md', 'utf8').split('\n')
  const documented = lines.filter((line) => line.startsWith('| `')).map((line) => line.split('`')[1])
  const settings = settingsTable()
  t.same(
    documented,
    settings.map(({ key }) => key),
    'run build/settings_doc.mjs',
  )
  for (const { key, variable, byDefault, description } of settings) {
    t.ok(description, `${key} has a description`)
    t.ok(
      lines.some((line) => line.includes(`\`${variable}\``) && line.endsWith(`| ${byDefault} | ${description} |`)),
      key,
    )
  }
})

t.test('each variable of the documentation sets its setting', async (t) => {
  for (const { key, variable, type } of settingsTable()) {
    const wrong = type.startsWith('integer') ? 'x' : type === 'boolean' ? 'maybe' : undefined
    if (wrong) t.throws(() => load({ [variable]: wrong }), invalid(key), variable)
  }
})
