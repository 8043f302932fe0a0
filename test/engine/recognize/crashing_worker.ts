import { readFileSync, writeFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'

/** The real worker, but it dies on as many frames as the file CRASH_COUNT_FILE says. */
const file = process.env.CRASH_COUNT_FILE!

parentPort!.on('message', () => {
  const left = Number(readFileSync(file, 'utf8'))
  if (left === 0) return
  writeFileSync(file, String(left - 1))
  process.exit(1)
})
await import('../../../engine/recognize/worker.js')
