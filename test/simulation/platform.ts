import { createRequire, syncBuiltinESMExports } from 'node:module'
import { nuid } from 'nats'
import type { VirtualClock } from './clock.js'
import type { Random } from './random.js'

const require = createRequire(import.meta.url)

let clock: VirtualClock
let random: Random
let isInstalled = false

/** Compressing takes no thread and no real time. It applies from the import of this module on: before the engine's. */
function useSimulatedZlib(): void {
  const zlib = require('node:zlib') as Record<string, (...args: unknown[]) => unknown>
  for (const name of ['deflateRaw', 'inflateRaw', 'deflate', 'inflate', 'gzip', 'gunzip']) {
    const atOnce = zlib[`${name}Sync`]!
    zlib[name] = (data: unknown, ...rest: unknown[]) => {
      const done = rest.pop() as (error: unknown, result?: unknown) => void
      clock.timer(1, () => {
        let result: unknown
        try {
          result = atOnce(data, ...rest)
        } catch (error) {
          return done(error)
        }
        done(null, result)
      })
    }
  }
  syncBuiltinESMExports()
}

useSimulatedZlib()

/** Timers as Node.js has them. */
class Timer {
  private event: ReturnType<VirtualClock['timer']> | undefined

  constructor(
    private readonly ms: number,
    private readonly run: () => void,
  ) {
    this.refresh()
  }

  refresh(): this {
    this.cancel()
    this.event = clock.timer(this.ms, this.run)
    return this
  }

  cancel(): void {
    clock.cancel(this.event)
  }

  hasRef = () => true
  ref = () => this
  unref = () => this
}

/**
 * Replaces time and chance of this Node.js process by those of a simulation: Date, performance.now, timers,
 * AbortSignal.timeout, Math.random, crypto. It stays replaced; a later call starts the next simulation.
 */
export function usePlatform(nextClock: VirtualClock, nextRandom: Random): void {
  clock = nextClock
  random = nextRandom
  if (!isInstalled) install()
  isInstalled = true
  nuid.reset()
}

function install(): void {
  const after = (ms: number, run: () => void) => new Timer(ms, run)
  const clear = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel()
  }
  const every = (run: (...args: unknown[]) => void, ms: number, ...args: unknown[]) => {
    const timer = after(ms, () => {
      timer.refresh()
      run(...args)
    })
    return timer
  }
  const target = globalThis as unknown as Record<string, unknown>
  target.setTimeout = (run: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) => after(ms, () => run(...args))
  target.setInterval = every
  target.setImmediate = (run: (...args: unknown[]) => void, ...args: unknown[]) => after(0, () => run(...args))
  target.clearTimeout = target.clearInterval = target.clearImmediate = clear
  target.Date = simulatedDate()
  performance.now = () => clock.now
  Math.random = () => random.next()
  AbortSignal.timeout = (ms: number) => {
    const controller = new AbortController()
    after(ms, () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')))
    return controller.signal
  }
  const fill = <T extends ArrayBufferView>(view: T): T => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.int(256)
    return view
  }
  const uuid = () => {
    const hex = Buffer.from(fill(new Uint8Array(16))).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  Object.defineProperty(globalThis.crypto, 'getRandomValues', { value: fill })
  Object.defineProperty(globalThis.crypto, 'randomUUID', { value: uuid })
  const node = require('node:crypto') as Record<string, unknown>
  node.randomUUID = uuid
  node.randomBytes = (size: number) => Buffer.from(fill(new Uint8Array(size)))
  syncBuiltinESMExports()
  process.memoryUsage.rss = () => 100_000_000
}

function simulatedDate(): DateConstructor {
  const RealDate = Date
  return class extends RealDate {
    constructor(...args: unknown[]) {
      if (args.length === 0) super(Math.floor(clock.wall()))
      else super(...(args as [number]))
    }

    static override now(): number {
      return Math.floor(clock.wall())
    }
  } as DateConstructor
}
