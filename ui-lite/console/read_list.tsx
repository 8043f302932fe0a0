import { CardBoundary } from '../shared/card_boundary.js'
import { useObservable } from '../shared/observable.js'
import { useNow } from '../shared/use_now.js'
import type { Board } from './board.js'
import { PauseButton } from './pause_button.js'
import { ReadRow } from './read_row.js'
import { usePaused } from './use_paused.js'

/** The live list of reads, newest first: all vehicles that pass the cameras, listed or not. */
export function ReadList({ board, paused, onPause }: { board: Board; paused: boolean; onPause: () => void }) {
  const reads = useObservable(board.reads)
  const status = useObservable(board.status)
  const shown = usePaused(reads, paused)
  const now = useNow(60_000)
  const newestShown = shown[0]
  // The newest read on screen may have fallen out of the bounded list; then the count is unknown and shows as 0.
  const newReads = newestShown ? reads.findIndex((read) => read.readId === newestShown.readId) : reads.length
  return (
    <section class="panel panel-reads" aria-labelledby="reads-title">
      <header class="panel-head">
        <h2 id="reads-title">Reads</h2>
        <span class="count">
          {status && status.readsDropped > 0 && `${status.readsDropped} skipped: console too slow`}
        </span>
        <PauseButton paused={paused} waiting={paused ? Math.max(0, newReads) : 0} noun="read" onToggle={onPause} />
      </header>
      {shown.length === 0 ? (
        <NoReads engines={status?.engines.length} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must take focus to scroll by keyboard
        <div class="scroll" role="log" aria-live="off" aria-label="Reads, newest first" tabIndex={0}>
          <ol class="reads">
            {shown.map((read) => (
              <CardBoundary key={read.readId} noun="read" id={read.readId}>
                <ReadRow read={read} now={now} />
              </CardBoundary>
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
          A read appears here after a vehicle has passed a camera. If no camera is connected, publish a recorded feed
          with <code>platestream replay</code>.
        </p>
      )}
    </div>
  )
}
