import { useRef } from 'preact/hooks'

/** The current value, or while `paused`, the value at the time of the pause. */
export function usePaused<T>(value: T, paused: boolean): T {
  const kept = useRef(value)
  if (!paused) kept.current = value
  return kept.current
}
