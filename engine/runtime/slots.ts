/** Counts work in flight against a limit; whoever finds no room waits for some. */
export class Slots {
  private used = 0
  private waiting: { least: number; wake: () => void }[] = []

  constructor(readonly limit: number) {}

  get free(): number {
    return Math.max(0, this.limit - this.used)
  }

  take(): void {
    this.used += 1
  }

  release(): void {
    this.used -= 1
    if (this.waiting.length > 0 && this.free >= this.waiting[0]!.least) this.waiting.shift()!.wake()
  }

  /** Resolves with the number of free slots once there are `least`, or at `interrupt` with what there is. */
  async room(least = 1): Promise<number> {
    if (this.free < least) await new Promise<void>((wake) => this.waiting.push({ least, wake }))
    return this.free
  }

  /** Wakes everybody who waits. */
  interrupt(): void {
    for (const { wake } of this.waiting.splice(0)) wake()
  }
}
