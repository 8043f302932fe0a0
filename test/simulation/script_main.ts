/** Runs the script of NATS calls against the simulated server, and prints the answers as JSON. */
import './platform.js'
import { connectNats } from '../../engine/nats/connect.js'
import { sleep } from '../../engine/runtime/backoff.js'
import { Process } from './clock.js'
import { mappingsOf } from './entrances.js'
import { runScript, type Answers } from './nats_script.js'
import { World } from './world.js'

const world = new World({
  seed: 1,
  engines: 0,
  settings: {},
  natsVersion: process.argv[2] ?? '2.9.10',
  mappings: mappingsOf(4),
})
const client = new Process('script')
let answers: Answers | undefined
let failure: unknown
world.clock.schedule(
  0,
  () => {
    void connectNats({ url: 'nats://127.0.0.1:4222', name: 'script' })
      .then((connection) => runScript(connection, sleep))
      .then(
        (result) => {
          answers = result
        },
        (error: unknown) => {
          failure = error
        },
      )
  },
  client,
)
await world.clock.run(() => answers !== undefined || failure !== undefined, 600_000)
if (failure) throw failure
if (!answers) throw new Error('the script did not end')
process.stdout.write(JSON.stringify(answers))
process.exit(0)
