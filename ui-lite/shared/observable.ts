import { useEffect, useReducer } from 'preact/hooks'

/**
 * A value that components observe. Observers are notified at most once per `intervalMs`, so that a burst of messages
 * causes one redraw.
 */
export class Observable<T> {
  #value: T
  #timer: ReturnType<typeof setTimeout> | undefined
  readonly #observers = new Set<() => void>()

  constructor(
    value: T,
    private readonly intervalMs = 0,
  ) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  set(value: T): void {
    this.#value = value
    // A timer, not an animation frame: a hidden page gets no frames and would fall behind.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      for (const observer of this.#observers) observer()
    }, this.intervalMs)
  }

  update(change: (value: T) => T): void {
    this.set(change(this.#value))
  }

  /** Calls `observer` after each change. Returns the function that ends this. */
  observe(observer: () => void): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }
}

/** The current value of an observable; the component redraws when it changes. */
export function useObservable<T>(observable: Observable<T>): T {
  const [, redraw] = useReducer((count: number) => count + 1, 0)
  useEffect(() => {
    redraw(undefined) // the value may have changed between drawing and this effect
    return observable.observe(() => redraw(undefined))
  }, [observable])
  return observable.value
}
