/** Publishes that wait for their acknowledgement. */
export class PublishWindow {
  private readonly inFlight = new Set<Promise<unknown>>()

  add(publishing: Promise<unknown>): void {
    const work: Promise<unknown> = publishing.finally(() => this.inFlight.delete(work))
    this.inFlight.add(work)
  }

  /** Waits until fewer than `most` are in flight. */
  async room(most = 64): Promise<void> {
    if (this.inFlight.size >= most) await Promise.race(this.inFlight)
  }

  /** Waits for all. */
  async drained(): Promise<void> {
    await Promise.all(this.inFlight)
  }
}
