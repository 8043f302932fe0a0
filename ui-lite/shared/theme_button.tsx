import { Icon } from './icon.js'
import { useObservable } from './observable.js'
import { preferences, setPreference, type Theme } from './preferences.js'

const NEXT: Record<Theme, Theme> = { system: 'dark', dark: 'light', light: 'system' }
const LABEL: Record<Theme, string> = { system: 'same as system', dark: 'dark', light: 'light' }

/** Switches to the next theme. */
export function ThemeButton() {
  const { theme } = useObservable(preferences)
  const label = `Theme: ${LABEL[theme]}. Change to ${LABEL[NEXT[theme]]}`
  return (
    <button type="button" class="button button-icon" title={label} onClick={() => setPreference('theme', NEXT[theme])}>
      <Icon name="sun" />
      <span class="visually-hidden">{label}</span>
    </button>
  )
}
