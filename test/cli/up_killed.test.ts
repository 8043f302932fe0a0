import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { eventually, isReady, partsOf, startUp } from './up_process.js'

const folder = mkdtempSync(join(tmpdir(), 'platestream-up-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))

t.test('no process is left when up is killed, and the next up takes over the folder', async (t) => {
  const data = join(folder, 'two')
  const first = await startUp(t, data)
  first.child.removeAllListeners('exit')
  process.kill(first.child.pid!, 'SIGKILL')
  t.ok(await eventually(() => partsOf(data).length === 0, 40_000), `left: ${JSON.stringify(partsOf(data))}`)
  const second = await startUp(t, data)
  t.ok(await eventually(() => isReady(second.facts)))
  second.child.removeAllListeners('exit')
  second.child.kill('SIGINT')
  t.equal(await new Promise((resolve) => second.child.once('exit', resolve)), 0)
  t.same(partsOf(data), [])
})
