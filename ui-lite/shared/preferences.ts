import { Store } from './observable.js'

export type Theme = 'system' | 'dark' | 'light'

export interface Preferences {
  theme: Theme
  /** Single-letter keys can be switched off (WCAG 2.1.4). */
  keys: boolean
}

const KEY = 'platestream.preferences'

export const preferences = new Store<Preferences>(load())

export function setPreference<K extends keyof Preferences>(name: K, value: Preferences[K]): void {
  preferences.update((all) => ({ ...all, [name]: value }))
  apply(preferences.value)
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences.value))
  } catch {
    /* it lasts as long as the page */
  }
}

function load(): Preferences {
  let stored: Partial<Preferences> = {}
  try {
    stored = (JSON.parse(localStorage.getItem(KEY) ?? '{}') ?? {}) as Partial<Preferences>
  } catch {
    /* damaged: the defaults */
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
