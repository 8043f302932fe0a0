import { useObservable, type Observable } from '../shared/observable.js'
import type { StatusMessage } from '../shared/protocol.js'
import type { Connection, ConnectionState } from './connection.js'

const LABEL: Record<ConnectionState['state'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost',
  'signed-out': 'Signed out',
}

/** The state of the connection. "Live" also requires that the gateway itself receives hits. */
export function ConnectionPill({
  connection,
  status,
}: {
  connection: Connection
  status: Observable<StatusMessage | undefined>
}) {
  const { state } = useObservable(connection.state)
  const latest = useObservable(status)
  const noHits = state === 'live' && latest !== undefined && !latest.hits.live
  return (
    <span class={`pill pill-${noHits ? 'lost' : state}`} role="status">
      <span class="pill-dot" aria-hidden="true" />
      {noHits ? 'No live hits' : LABEL[state]}
    </span>
  )
}
