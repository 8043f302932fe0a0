import { Observable } from './observable.js'

export type Theme = 'system' | 'dark' | 'light'

export interface Preferences {
  theme: Theme
  /** Single-letter shortcuts; people can turn them off (WCAG 2.1.4). */
  keys: boolean
}

const KEY = 'platestream.preferences'

/** What this person prefers, kept in this browser. */
export const preferences = new Observable<Preferences>(load())

/** Changes a preference, applies it and stores it. */
export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  preferences.update((all) => ({ ...all, [name]: value }))
  apply(preferences.value)
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.value))
  } catch {
    /* without storage it lasts until the page closes */
  }
}

function load(): Preferences {
  let stored: Partial<Preferences> = {}
  try {
    stored = (JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {}) as Partial<Preferences>
  } catch {
    /* invalid, or no storage: the defaults */
  }
  const all: Preferences = {
    theme: stored.theme === 'dark' || stored.theme === 'light' ? stored.theme : 'system',
    keys: stored.keys !== false,
  }
  apply(all)
  return all
}

function apply({ theme }: Preferences): void {
  document.documentElement.dataset.theme = theme
}
