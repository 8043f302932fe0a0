import { useEffect, useReducer } from 'preact/hooks'

/**
 * A value that components watch. Changes are told at most once in `pauseMs`, so that a flood of messages is one
 * drawing.
 */
export class Store<T> {
  #value: T
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #watchers = new Set<() => void>()

  constructor(
    value: T,
    private readonly pauseMs = 0,
  ) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    // A timer and not the next frame: a hidden page gets no frames and would fall behind.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const watcher of this.#watchers) watcher()
    }, this.pauseMs)
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value))
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }
}

/** The value of a store in a component. */
export function useStore<T>(store: Store<T>): T {
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    redraw(undefined) // it may have changed between drawing and now
    return store.watch(() => redraw(undefined))
  }, [store])
  return store.value
}
