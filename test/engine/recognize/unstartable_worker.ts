import { existsSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

/** The real worker, but while the file BROKEN_FILE exists it does not start, and dies on its next frame. */
const file = process.env.BROKEN_FILE!

if (existsSync(file)) process.exit(1)
parentPort!.on('message', () => {
  if (existsSync(file)) process.exit(1)
})
await import('../../../engine/recognize/worker.js')
