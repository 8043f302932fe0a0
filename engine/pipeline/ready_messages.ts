import { Condition } from '../runtime/condition.js'
import type { StreamMessage } from '../partition/partition_consumer.js'
import type { Extracted } from '../sources/source.js'

/** A message that was extracted, and before which nothing of its camera is left to apply. */
export interface ReadyMessage {
  message: StreamMessage
  extracted: Extracted
  /** It was applied: the next one of its camera may follow. */
  done(): void
}

/** Messages of all cameras of a partition that can be applied now, as they became ready. */
export class ReadyMessages {
  readonly #items: ReadyMessage[] = []
  readonly #changed = new Condition()
  #failure: { error: unknown } | undefined

  /** A message became ready. */
  push(ready: ReadyMessage): void {
    this.#items.push(ready)
    this.#changed.changed()
  }

  /** Nothing is applied any more; `next` throws. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#changed.changed()
  }

  /** Waits for a message, or until `over` holds. @returns undefined when it does and none is ready */
  async next(over: () => boolean): Promise<ReadyMessage | undefined> {
    await this.#changed.wait(() => this.#items.length > 0 || this.#failure !== undefined || over())
    if (this.#failure) throw this.#failure.error
    return this.#items.shift()
  }

  /** What `over` says may have changed. */
  changed(): void {
    this.#changed.changed()
  }
}
