import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { statusSubject } from '../../../engine/internal_mod.js'
import { startTestNats } from '../../servers/nats.js'
import { run } from '../run.js'

t.test('an engine that waits for its store exits on SIGTERM', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'platestream-engine-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const nats = await startTestNats(t)
  // Its heartbeat shows that it is running and waits.
  let child: ChildProcess | undefined
  const connection = await nats.connect()
  connection.subscribe(statusSubject('waits'), {
    max: 1,
    callback: () => {
      child?.kill('SIGTERM')
    },
  })
  const { code, stdout, stderr } = await run(['engine', '--data', folder, '--instance', 'waits'], {
    env: { NATS_URL: nats.url, PLATESTREAM_NATS_TOKEN: nats.token, CLICKHOUSE_URL: 'http://127.0.0.1:9' },
    onStart: (started) => {
      child = started
    },
  })
  t.equal(code, 0, stderr)
  t.equal(stdout, '', 'it never reported ready')
})
