import { useRef } from 'preact/hooks'

/** While `held`, the value of the moment it began; so a list can stand still while new things come in. */
export function useHeld<T>(value: T, held: boolean): T {
  const kept = useRef(value)
  if (!held) kept.current = value
  return kept.current
}
