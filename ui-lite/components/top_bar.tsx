import type { StatusMessage } from '../../gateway/live/protocol.js'
import type { Connection } from '../state/connection.js'
import { useStore, type Store } from '../state/store.js'
import { span } from '../text/time.js'
import { plural, rate } from '../text/words.js'
import { ConnectionPill } from './connection_pill.js'
import { Icon } from './icon.js'
import { ThemeButton } from './theme_button.js'

/** The numbers of the room: is it connected, how late is it, how much goes through. */
export function TopBar({
  connection,
  status,
  onHelp,
  onSignOut,
}: {
  connection: Connection
  status: Store<StatusMessage | undefined>
  onHelp: () => void
  onSignOut: () => void
}) {
  const { state } = useStore(connection.state)
  const latest = useStore(status)
  const now = state === 'live' ? latest : undefined // numbers of a lost connection are not of now
  const away = now?.engines.filter((engine) => !engine.fresh).length ?? 0
  return (
    <header class="bar">
      <h1 class="brand">
        <span class="brand-mark" aria-hidden="true">
          P
        </span>
        <span class="brand-name">Platestream</span>
      </h1>
      <ConnectionPill connection={connection} status={status} />
      <dl class="numbers">
        <Figure
          label="Delay"
          value={now?.delayMs === undefined ? undefined : span(now.delayMs)}
          warn={(now?.delayMs ?? 0) > 5_000}
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
            now && (away > 0 ? `${now.engines.length - away} of ${now.engines.length}` : String(now.engines.length))
          }
          warn={now !== undefined && (away > 0 || now.engines.length === 0)}
        />
        <Figure
          label="Lists"
          value={
            now && (now.staleLists.length > 0 ? `${now.lists}, ${now.staleLists.length} stale` : String(now.lists))
          }
          warn={(now?.staleLists.length ?? 0) > 0}
        />
      </dl>
      <div class="bar-buttons">
        <a class="button button-icon" href="/recognize" title="Read a picture of your own">
          <Icon name="picture" />
          <span class="unseen">Read a picture of your own</span>
        </a>
        <ThemeButton />
        <button type="button" class="button button-icon" onClick={onHelp} title="Keys">
          <Icon name="keyboard" />
          <span class="unseen">Keys</span>
        </button>
        <button type="button" class="button button-icon" onClick={onSignOut} title="Sign out">
          <Icon name="exit" />
          <span class="unseen">Sign out</span>
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
          <span class="unknown">
            –<span class="unseen">not known</span>
          </span>
        )}
      </dd>
    </div>
  )
}
