import type { NatsConnection } from 'nats'
import { CameraRegistry } from '../../engine/cameras/camera_registry.js'
import { removeHotList, saveHotList } from '../../engine/hotlists/hotlist_store.js'
import { connectNats } from '../../engine/nats/connect.js'
import { changePartitions } from '../../engine/partition/change_partitions.js'
import { sleep } from '../../engine/runtime/backoff.js'
import { Process } from './clock.js'
import type { World } from './world.js'

/** A person with the product's own commands: registers cameras, imports and removes hot lists. */
export class Operator {
  readonly process = new Process('operator')
  private connection: NatsConnection | undefined
  private busy = 0

  constructor(private readonly world: World) {}

  /** Whether everything that was asked for is done. */
  get isDone(): boolean {
    return this.busy === 0
  }

  /** Repeats `work` until it succeeds, as a person does. */
  do(what: string, work: (operator: Operator) => Promise<unknown>): void {
    this.busy++
    const { clock, trace } = this.world
    const run = async () => {
      this.connection ??= await connectNats({
        url: 'nats://127.0.0.1:4222',
        name: 'operator',
        waitOnFirstConnect: true,
      })
      for (;;) {
        try {
          await work(this)
          break
        } catch (error) {
          trace.note('operator', `${what}: ${(error as Error).message}`)
          await sleep(300)
        }
      }
      trace.note('operator', what)
      this.busy--
    }
    clock.schedule(0, () => void run(), this.process)
  }

  async addCamera(id: string): Promise<void> {
    const registry = await CameraRegistry.open(this.connection!)
    await registry.put({ id, name: id, kind: 'fixed', lat: 38.7, lon: -121.2, heading: 90 })
  }

  async removeCamera(id: string): Promise<void> {
    await (await CameraRegistry.open(this.connection!)).delete(id)
  }

  async changePartitions(count: number): Promise<void> {
    await changePartitions(this.connection!, count, { framesMaxBytes: 8_589_934_592 })
  }

  async importList(id: string, plates: readonly string[], reason: string): Promise<void> {
    const head = {
      id,
      name: id,
      kind: 'hot',
      priority: 'high',
      source: 'simulated',
      tolerance: 'tolerant',
      threshold: 0.5,
    } as const
    await saveHotList(
      this.connection!.jetstream(),
      head,
      plates.map((plate) => ({ plate, reason })),
    )
  }

  async removeList(id: string): Promise<void> {
    await removeHotList(this.connection!.jetstream(), id)
  }
}
