import { Icon } from '../shared/icon.js'
import { useObservable, type Observable } from '../shared/observable.js'
import type { StatusMessage } from '../shared/protocol.js'
import { plural, rate } from '../shared/text/quantities.js'
import { duration } from '../shared/text/time_text.js'
import { ThemeButton } from '../shared/theme_button.js'
import type { Connection } from './connection.js'
import { ConnectionPill } from './connection_pill.js'

/** A longer delay from capture to hit is marked, ms. */
const LATE_MS = 5_000

/** The state of the system: whether it is connected, how late it is, how much it processes. */
export function TopBar({
  connection,
  status,
  onHelp,
  onSignOut,
}: {
  connection: Connection
  status: Observable<StatusMessage | undefined>
  onHelp: () => void
  onSignOut: () => void
}) {
  const { state } = useObservable(connection.state)
  const latest = useObservable(status)
  const now = state === 'live' ? latest : undefined // without a connection the last figures are out of date
  const silent = now?.engines.filter((engine) => !engine.fresh).length ?? 0
  return (
    <header class="bar">
      <h1 class="brand">
        <span class="brand-mark" aria-hidden="true">
          P
        </span>
        <span class="brand-name">Platestream</span>
      </h1>
      <ConnectionPill connection={connection} status={status} />
      <dl class="figures">
        <Figure
          label="Delay"
          value={now?.delayMs === undefined ? undefined : duration(now.delayMs)}
          warn={(now?.delayMs ?? 0) > LATE_MS}
        />
        <Figure label="Frames/s" value={now?.framesPerS === undefined ? undefined : rate(now.framesPerS)} />
        <Figure label="Reads/s" value={now?.readsPerS === undefined ? undefined : rate(now.readsPerS)} />
        <Figure
          label="Waiting"
          value={now?.framesWaiting === undefined ? undefined : plural(now.framesWaiting, 'frame')}
        />
        <Figure
          label="Engines"
          value={
            now && (silent > 0 ? `${now.engines.length - silent} of ${now.engines.length}` : String(now.engines.length))
          }
          warn={now !== undefined && (silent > 0 || now.engines.length === 0)}
        />
        <Figure
          label="Hot lists"
          value={
            now && (now.staleLists.length > 0 ? `${now.lists}, ${now.staleLists.length} stale` : String(now.lists))
          }
          warn={(now?.staleLists.length ?? 0) > 0}
        />
      </dl>
      <div class="bar-buttons">
        <a class="button button-icon" href="recognize" title="Recognize plates in a picture">
          <Icon name="picture" />
          <span class="visually-hidden">Recognize plates in a picture</span>
        </a>
        <ThemeButton />
        <button type="button" class="button button-icon" onClick={onHelp} title="Keyboard shortcuts">
          <Icon name="keyboard" />
          <span class="visually-hidden">Keyboard shortcuts</span>
        </button>
        <button type="button" class="button button-icon" onClick={onSignOut} title="Sign out">
          <Icon name="exit" />
          <span class="visually-hidden">Sign out</span>
        </button>
      </div>
    </header>
  )
}

function Figure({ label, value, warn = false }: { label: string; value: string | undefined; warn?: boolean }) {
  return (
    <div class={warn ? 'figure figure-warn' : 'figure'}>
      <dt>{label}</dt>
      <dd>
        {warn && <Icon name="warning" />}
        {value ?? (
          <span class="figure-unknown">
            –<span class="visually-hidden">unknown</span>
          </span>
        )}
      </dd>
    </div>
  )
}
