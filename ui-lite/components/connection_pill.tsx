import type { Connection, ConnectionState } from '../state/connection.js'
import { useStore } from '../state/store.js'

const WORD: Record<ConnectionState['state'], string> = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost', 'signed-out': 'Signed out' }

export function ConnectionPill({ connection }: { connection: Connection }) {
  const { state } = useStore(connection.state)
  return <span class={`pill pill-${state}`} role="status"><span class="pill-dot" aria-hidden="true" />{WORD[state]}</span>
}
