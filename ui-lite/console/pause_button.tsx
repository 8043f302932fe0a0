import { plural } from '../shared/text/words.js'
import { Icon } from '../shared/icon.js'

/** Stops and starts a moving list (WCAG 2.2.2); says how much waits behind it. */
export function HoldButton({
  held,
  waiting,
  what,
  onToggle,
}: {
  held: boolean
  waiting: number
  what: string
  onToggle: () => void
}) {
  return (
    <button type="button" class={`button${held ? ' button-on' : ''}`} aria-pressed={held} onClick={onToggle}>
      <Icon name={held ? 'play' : 'pause'} />
      {held ? (waiting > 0 ? `Show ${plural(waiting, `new ${what}`)}` : 'Continue') : 'Pause'}
    </button>
  )
}
