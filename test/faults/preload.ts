/**
 * Loaded into the processes under test before anything else (`node --import`), so that faults can be brought about that
 * no signal brings:
 *
 *     FAULT_CLOCK_FILE   holds milliseconds that the wall clock is off by; read again at each SIGUSR2. The monotonic clock goes on, as in a
 *                        machine whose clock is set.
 *     a JPEG with POISON_THREAD in it   ends the recognition thread that gets it
 *     a JPEG with POISON_PROCESS in it  ends the whole process, as a crash in native code does
 *
 * Recognition threads load it too: threads inherit the options of their process.
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
