import { preferences, setPreference, type Theme } from './preferences.js'
import { useStore } from './observable.js'
import { Icon } from './icon.js'

const NEXT: Record<Theme, Theme> = { system: 'dark', dark: 'light', light: 'system' }
const WORD: Record<Theme, string> = { system: 'as the system', dark: 'dark', light: 'light' }

export function ThemeButton() {
  const { theme } = useStore(preferences)
  const label = `Theme: ${WORD[theme]}. Change to ${WORD[NEXT[theme]]}`
  return (
    <button type="button" class="button button-icon" title={label} onClick={() => setPreference('theme', NEXT[theme])}>
      <Icon name="sun" />
      <span class="unseen">{label}</span>
    </button>
  )
}
