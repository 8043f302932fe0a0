import type { StatusMessage } from '../../gateway/live/protocol.js'
import type { Connection, ConnectionState } from '../state/connection.js'
import { useStore, type Store } from '../state/store.js'

const WORD: Record<ConnectionState['state'], string> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost',
  'signed-out': 'Signed out',
}

/** "Live" only when hits really can come: a good line to a gateway that gets nothing is not live. */
export function ConnectionPill({
  connection,
  status,
}: {
  connection: Connection
  status: Store<StatusMessage | undefined>
}) {
  const { state } = useStore(connection.state)
  const feed = useStore(status)
  const waits = state === 'live' && feed !== undefined && !feed.hits.live
  return (
    <span class={`pill pill-${waits ? 'lost' : state}`} role="status">
      <span class="pill-dot" aria-hidden="true" />
      {waits ? 'No hits coming' : WORD[state]}
    </span>
  )
}
