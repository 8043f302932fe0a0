import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { findProgram, migrate, questionList } from '../../engine/mod.js'
import { StoreWriter } from '../../engine/internal_mod.js'
import { cityRows } from '../engine/canvass/city.js'
import { startTestStore } from '../servers/store.js'
import { startTestGateway, TOKEN } from './fixtures/gateway.js'

const run = promisify(execFile)

/** The commands of docs/api.md that begin with curl; lines that are indented further belong to the one before. */
const COMMANDS = readFileSync('docs/api.md', 'utf8')
  .split(/\n(?= {4}\S)/)
  .map((text) => text.split(/\n(?! {4})/)[0]!.trim())
  .filter((text) => text.startsWith('curl'))

t.test('every example of docs/api.md works as written', { skip: !findProgram('curl') && 'no curl' }, async (t) => {
  const store = await startTestStore(t)
  await migrate(store.client, 'p')
  await new StoreWriter(store.client, 'p').write({ reads: cityRows(50), hits: [], ledger: [] })
  const gateway = await startTestGateway(t, { client: store.client })
  const folder = mkdtempSync(join(tmpdir(), 'platestream-api-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'token.curl'), `header = "Authorization: Bearer ${TOKEN}"\n`)
  const statusOf = async (command: string) => {
    const { stdout } = await run('bash', ['-c', `${command} -w '\n%{http_code}'`], {
      cwd: folder,
      env: { ...process.env, URL: gateway.url },
    })
    return stdout.slice(stdout.lastIndexOf('\n') + 1)
  }
  for (const command of COMMANDS) t.equal(await statusOf(command), '200', command.slice(0, 90))
  t.ok(JSON.parse(readFileSync(join(folder, 'vehicles.geojson'), 'utf8')))
  for (const { kind } of questionList())
    t.ok(
      COMMANDS.some((command) => command.includes(`/api/canvass/${kind}`)),
      `${kind} has an example`,
    )
})
