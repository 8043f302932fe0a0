import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { startTestNats } from '../servers/nats.js'
import { runScript, type Answers } from './nats_script.js'

t.test('the simulated NATS answers as nats-server does', async (t) => {
  t.setTimeout(180_000)
  const nats = await startTestNats(t, { partitions: 4, setup: false })
  const connection = await nats.connect()
  const real = await runScript(connection, (ms) => new Promise((resolve) => setTimeout(resolve, ms)))
  const program = fileURLToPath(new URL('./script_main.js', import.meta.url))
  const { version } = connection.info!
  t.comment(`nats-server ${version}`)
  const simulated = spawnSync(process.execPath, [program, version], { encoding: 'utf8', timeout: 60_000 })
  t.equal(simulated.stderr, '')
  const answers = JSON.parse(simulated.stdout) as Answers
  t.equal(answers.length, real.length)
  for (const [i, [step, answer]] of real.entries()) {
    t.equal(answers[i]![0], step)
    t.same(answers[i]![1], answer, step)
  }
})
