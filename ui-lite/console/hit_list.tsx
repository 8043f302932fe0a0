import type { Board, ShownHit } from './board.js'
import { useNow } from '../shared/use_now.js'
import { useStore } from '../shared/observable.js'
import { plural } from '../shared/text/words.js'
import { useHeld } from './use_paused.js'
import { HoldButton } from './pause_button.js'
import { HitCard } from './hit_card.js'

/** The stream of hits, newest first. */
export function HitList({ board, held, onHold }: { board: Board; held: boolean; onHold: () => void }) {
  const hits = useStore(board.hits)
  const status = useStore(board.status)
  const shown = useHeld(hits, held)
  const now = useNow(30_000)
  const first = shown[0]
  const waiting = held
    ? first
      ? Math.max(0, hits.indexOf(hits.find(({ hit }) => hit.hitId === first.hit.hitId)!))
      : hits.length
    : 0
  return (
    <section class="panel panel-hits" aria-labelledby="hits-title">
      <header class="panel-head">
        <h2 id="hits-title">Hits</h2>
        <span class="count">{hits.length > 0 && counts(hits)}</span>
        <HoldButton held={held} waiting={waiting} what="hit" onToggle={onHold} />
      </header>
      <p class="grounds">A hit alone is not grounds for a stop.</p>
      {shown.length === 0 ? (
        <NoHits lists={status?.lists} />
      ) : (
        <div class="scroll" role="log" aria-live="off" aria-label="Hits, newest first" tabIndex={0}>
          <ol class="hits">
            {shown.map((hit) => (
              <HitCard key={hit.hit.hitId} shown={hit} now={now} />
            ))}
          </ol>
        </div>
      )}
    </section>
  )
}

function counts(hits: readonly ShownHit[]): string {
  const withdrawn = hits.filter(({ hit }) => hit.state === 'withdrawn').length
  return `${plural(hits.length - withdrawn, 'possible match', 'possible matches')}${withdrawn > 0 ? `, ${withdrawn} withdrawn` : ''}`
}

function NoHits({ lists }: { lists: number | undefined }) {
  return (
    <div class="empty">
      <p class="empty-title">No hits yet.</p>
      {lists === 0 ? (
        <p>
          There is no hot list, so nothing can match. Load one with <code>platestream hotlist import</code>.
        </p>
      ) : (
        <p>
          {lists === undefined ? 'Every read is' : `Every read is checked against ${plural(lists, 'hot list')} and`} a
          possible match appears here the moment it is sure enough, usually before the vehicle has passed the camera.
        </p>
      )}
    </div>
  )
}
