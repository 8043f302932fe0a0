/**
 * Collects what has to happen at the end, and does it in reverse order: what tap's `t.teardown` is to a test, for a
 * program.
 */
export class Scope {
  readonly #ends: (() => unknown)[] = []

  teardown(end: () => unknown): void {
    this.#ends.push(end)
  }

  /** Everything is ended, whatever fails. @throws the first failure */
  async end(): Promise<void> {
    const failures: unknown[] = []
    for (const end of this.#ends.splice(0).reverse()) {
      try {
        await end()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
