import type { Board } from './board.js'
import { useNow } from '../shared/use_now.js'
import { useStore } from '../shared/observable.js'
import { useHeld } from './use_paused.js'
import { HoldButton } from './pause_button.js'
import { ReadRow } from './read_row.js'

/** The stream of reads, newest first: what passes the cameras, listed or not. */
export function ReadList({ board, held, onHold }: { board: Board; held: boolean; onHold: () => void }) {
  const reads = useStore(board.reads)
  const status = useStore(board.status)
  const shown = useHeld(reads, held)
  const now = useNow(60_000)
  const first = shown[0]
  const waiting = held ? Math.max(0, first ? reads.findIndex((read) => read.readId === first.readId) : reads.length) : 0
  return (
    <section class="panel panel-reads" aria-labelledby="reads-title">
      <header class="panel-head">
        <h2 id="reads-title">Reads</h2>
        <span class="count">
          {status && status.readsDropped > 0 && `${status.readsDropped} skipped, this console was slow`}
        </span>
        <HoldButton held={held} waiting={waiting} what="read" onToggle={onHold} />
      </header>
      {shown.length === 0 ? (
        <NoReads engines={status?.engines.length} />
      ) : (
        <div class="scroll" role="log" aria-live="off" aria-label="Reads, newest first" tabIndex={0}>
          <ol class="reads">
            {shown.map((read) => (
              <ReadRow key={read.readId} read={read} now={now} />
            ))}
          </ol>
        </div>
      )}
    </section>
  )
}

function NoReads({ engines }: { engines: number | undefined }) {
  return (
    <div class="empty">
      <p class="empty-title">No reads yet.</p>
      {engines === 0 ? (
        <p>
          No engine is running. Start one with <code>platestream engine</code>, or everything with{' '}
          <code>platestream up</code>.
        </p>
      ) : (
        <p>
          A read appears here when a vehicle has passed a camera. Without a camera at hand, publish a recorded feed with{' '}
          <code>platestream replay</code>.
        </p>
      )}
    </div>
  )
}
