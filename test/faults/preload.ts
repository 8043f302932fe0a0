/**
 * Loaded first into the processes under test (`node --import`), to cause faults that no signal can cause:
 *
 *     FAULT_CLOCK_FILE                  file with the offset of the wall clock, ms; read again at each SIGUSR2. The
 *                                       monotonic clock is not affected, as when the clock of a machine is set.
 *     a JPEG that contains POISON_THREAD   ends the recognition thread that receives it
 *     a JPEG that contains POISON_PROCESS  ends the whole process, like a crash in native code
 *
 * Recognition threads load it too, because threads inherit the options of their process.
 */
import { readFileSync } from 'node:fs'
import { isMainThread, parentPort } from 'node:worker_threads'

const file = process.env.FAULT_CLOCK_FILE
if (file && isMainThread) {
  let offset = 0
  const RealDate = Date
  const now = () => RealDate.now() + offset
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args: unknown[], newTarget) =>
      Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as object,
    apply: () => new RealDate(now()).toString(),
    get: (target, key, receiver) => (key === 'now' ? now : (Reflect.get(target, key, receiver) as unknown)),
  })
  process.on('SIGUSR2', () => {
    offset = Number(readFileSync(file, 'utf8'))
  })
}

if (!isMainThread && parentPort) {
  const listen = parentPort.on.bind(parentPort)
  listen('message', (job: { jpeg?: ArrayBuffer }) => {
    if (!job.jpeg) return
    const head = Buffer.from(job.jpeg).subarray(0, 64)
    if (head.includes('POISON_THREAD')) process.exit(1)
    if (head.includes('POISON_PROCESS')) process.kill(process.pid, 'SIGKILL')
  })
}
