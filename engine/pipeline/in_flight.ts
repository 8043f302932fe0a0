/**
 * What a partition has in work, in stream order: messages that the consumer adds and the pipeline takes off. It bounds
 * nothing by itself: the consumer asks for room before it pulls.
 *
 *     consumer ── whenFree(n), push ──► [ head ... ] ── head, shift ──► apply
 *
 * Both sides may wait; `close` ends their waits.
 */
export class InFlight<T> {
  private readonly items: T[] = []
  private readonly waits = new Set<{ until: () => boolean; wake: () => void }>()
  private closed = false

  constructor(readonly limit: number) {}

  get size(): number {
    return this.items.length
  }

  get free(): number {
    return Math.max(0, this.limit - this.items.length)
  }

  push(item: T): void {
    this.items.push(item)
    this.changed()
  }

  /** Takes the oldest item off. */
  shift(): void {
    this.items.shift()
    this.changed()
  }

  /** The oldest item, which stays; waits for one. @returns undefined after `close`, when there is none */
  async head(): Promise<T | undefined> {
    await this.wait(() => this.items.length > 0)
    return this.items[0]
  }

  /** Waits until there is room for `least` more. @returns how many fit; after `close` it may be less */
  async whenFree(least: number): Promise<number> {
    await this.wait(() => this.free >= least)
    return this.free
  }

  /** Ends all waits, and those of later calls. */
  close(): void {
    this.closed = true
    this.wakeIf(() => true)
  }

  private changed(): void {
    this.wakeIf(({ until }) => until())
  }

  private wakeIf(ready: (wait: { until: () => boolean }) => boolean): void {
    for (const wait of this.waits) {
      if (!ready(wait)) continue
      this.waits.delete(wait)
      wait.wake()
    }
  }

  private async wait(until: () => boolean): Promise<void> {
    if (!this.closed && !until()) await new Promise<void>((wake) => this.waits.add({ until, wake }))
  }
}
