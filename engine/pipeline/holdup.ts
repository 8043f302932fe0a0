/** How long a position of a partition does not advance although it should. */
export class Holdup {
  private position = NaN
  /** Monotonic, ms. */
  private since = 0

  /**
   * To be asked about once a second.
   * @param position what advances
   * @param isDue whether there is anything that it could advance by
   * @param now monotonic, ms
   * @returns ms
   */
  update(position: number, isDue: boolean, now: number): number {
    if (!isDue || position !== this.position) this.since = now
    this.position = position
    return now - this.since
  }
}
