import { CardBoundary } from '../shared/card_boundary.js'
import { useObservable } from '../shared/observable.js'
import { plural } from '../shared/text/quantities.js'
import { useNow } from '../shared/use_now.js'
import type { Board, ShownHit } from './board.js'
import { HitCard } from './hit_card.js'
import { PauseButton } from './pause_button.js'
import { usePaused } from './use_paused.js'

/** The live list of hits, newest first. */
export function HitList({ board, paused, onPause }: { board: Board; paused: boolean; onPause: () => void }) {
  const hits = useObservable(board.hits)
  const status = useObservable(board.status)
  const shown = usePaused(hits, paused)
  const now = useNow(30_000)
  const newestShown = shown[0]
  // The newest hit on screen may have fallen out of the bounded list; then the count is unknown and shows as 0.
  const newHits = newestShown ? hits.findIndex(({ hit }) => hit.hitId === newestShown.hit.hitId) : hits.length
  return (
    <section class="panel panel-hits" aria-labelledby="hits-title">
      <header class="panel-head">
        <h2 id="hits-title">Hits</h2>
        <span class="count">{hits.length > 0 && countText(hits)}</span>
        <PauseButton paused={paused} waiting={paused ? Math.max(0, newHits) : 0} noun="hit" onToggle={onPause} />
      </header>
      <p class="policy-note">A hit alone is not grounds for a stop.</p>
      {shown.length === 0 ? (
        <NoHits lists={status?.lists} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must take focus to scroll by keyboard
        <div class="scroll" role="log" aria-live="off" aria-label="Hits, newest first" tabIndex={0}>
          <ol class="hits">
            {shown.map((hit) => (
              <CardBoundary key={hit.hit.hitId} noun="hit" id={hit.hit.hitId}>
                <HitCard shown={hit} now={now} />
              </CardBoundary>
            ))}
          </ol>
        </div>
      )}
    </section>
  )
}

function countText(hits: readonly ShownHit[]): string {
  const withdrawn = hits.filter(({ hit }) => hit.state === 'withdrawn').length
  const possible = plural(hits.length - withdrawn, 'possible match', 'possible matches')
  return withdrawn > 0 ? `${possible}, ${withdrawn} withdrawn` : possible
}

function NoHits({ lists }: { lists: number | undefined }) {
  return (
    <div class="empty">
      <p class="empty-title">No hits yet.</p>
      {lists === 0 ? (
        <p>
          No hot list is loaded, so nothing can match. Load one with <code>platestream hotlist import</code>.
        </p>
      ) : (
        <p>
          Every read is checked against {lists === undefined ? 'the hot lists' : plural(lists, 'hot list')}. A possible
          match appears here as soon as it is likely enough, usually before the vehicle has passed the camera.
        </p>
      )}
    </div>
  )
}
