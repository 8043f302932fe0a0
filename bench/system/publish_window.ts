/** Publishes that wait for their acknowledgement. */
export class PublishWindow {
  private readonly inFlight = new Set<Promise<unknown>>()

  add(publishing: Promise<unknown>): void {
    const work: Promise<unknown> = publishing.finally(() => this.inFlight.delete(work))
    this.inFlight.add(work)
  }

  /**
   * Waits until fewer than `most` are in flight.
   * @returns undefined when there is room: to await even that would make the client write each message by itself
   */
  room(most = 64): Promise<unknown> | undefined {
    return this.inFlight.size >= most ? Promise.race(this.inFlight) : undefined
  }

  /** Waits for all. */
  async drained(): Promise<void> {
    await Promise.all(this.inFlight)
  }
}
