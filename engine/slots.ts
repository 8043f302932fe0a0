/** Counts work in flight against a limit; whoever finds no room waits for some. */
export class Slots {
  private used = 0
  private waiting: (() => void)[] = []

  constructor(readonly limit: number) {}

  get free(): number {
    return Math.max(0, this.limit - this.used)
  }

  take(): void {
    this.used += 1
  }

  release(): void {
    this.used -= 1
    this.waiting.shift()?.()
  }

  /** Resolves with the number of free slots once there is one, or at `interrupt` with what there is. */
  async room(): Promise<number> {
    if (this.free === 0) await new Promise<void>((resolve) => this.waiting.push(resolve))
    return this.free
  }

  /** Wakes everybody who waits. */
  interrupt(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }
}
