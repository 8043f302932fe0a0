import { Icon } from '../shared/icon.js'
import { plural } from '../shared/text/quantities.js'

/** Pauses and resumes a moving list (WCAG 2.2.2). While paused, shows how many new items are waiting. */
export function PauseButton({
  paused,
  waiting,
  noun,
  onToggle,
}: {
  paused: boolean
  waiting: number
  /** What the list holds, in the singular. */
  noun: string
  onToggle: () => void
}) {
  return (
    <button type="button" class={`button${paused ? ' button-on' : ''}`} aria-pressed={paused} onClick={onToggle}>
      <Icon name={paused ? 'play' : 'pause'} />
      {paused ? (waiting > 0 ? `Show ${plural(waiting, `new ${noun}`)}` : 'Resume') : 'Pause'}
    </button>
  )
}
