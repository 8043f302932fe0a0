import { memo } from '../shared/memo.js'
import type { ShownHit } from './board.js'
import { clock, span, zone } from '../shared/text/time.js'
import { compass, DIRECTION } from '../shared/text/words.js'
import { spell } from '../shared/text/plate.js'
import { Icon } from '../shared/icon.js'
import { Picture } from '../shared/archive_picture.js'
import { PlateCompare } from './plate_comparison.js'
import { PriorityBadge } from '../shared/priority_badge.js'

const STALE_MS = 12 * 3_600_000
const HOUR_MS = 3_600_000

/** One possible match. `now` is coarse (half a minute): only ages depend on it. */
export const HitCard = memo(function HitCard({
  shown: { hit, old, delayMs: delay },
  now,
}: {
  shown: ShownHit
  now: number
}) {
  const withdrawn = hit.state === 'withdrawn'
  const seen = Date.parse(hit.tsLast)
  const listAge = now - Date.parse(hit.listLoadedAt)
  const title = `hit-${hit.hitId}`
  return (
    <li class={`hit hit-${hit.priority}${withdrawn ? ' hit-withdrawn' : ''}${old ? '' : ' hit-new'}`}>
      <article tabIndex={-1} aria-labelledby={title} data-hit={hit.hitId}>
        <header class="hit-head">
          <h3 id={title} class="hit-title">
            {withdrawn ? (
              <span class="badge badge-withdrawn">
                <Icon name="withdrawn" />
                Withdrawn
              </span>
            ) : (
              <span class="hit-possible">Possible match</span>
            )}
            <span class="unseen">{` ${spell(hit.listedPlate)}, `}</span>
          </h3>
          <PriorityBadge priority={hit.priority} />
          <span class="hit-reason">{hit.reason || 'no reason given'}</span>
          <time class="hit-time" dateTime={hit.ts}>
            {clock(seen, now)} <small>{zone(seen)}</small>
          </time>
        </header>
        <div class="hit-body">
          <div class="hit-pictures">
            <Picture crop={hit.crop} kind="plate" alt={`Plate as seen: ${spell(hit.plate)}`} />
            {hit.picture && <Picture crop={hit.picture} kind="vehicle" alt="Vehicle as seen" />}
          </div>
          <PlateCompare hit={hit} />
          <dl class="facts">
            <div>
              <dt>
                <Icon name="list" />
                List
              </dt>
              <dd>
                {hit.listName}
                <small class={listAge > STALE_MS ? 'stale' : ''}>
                  {listAge > STALE_MS && <Icon name="warning" />}
                  {`loaded ${clock(Date.parse(hit.listLoadedAt), now)}, ${span(listAge)} old`}
                </small>
              </dd>
            </div>
            <div>
              <dt>
                <Icon name="camera" />
                Camera
              </dt>
              <dd>
                {hit.cameraName || hit.camera}
                <small>{`${hit.lat.toFixed(5)}, ${hit.lon.toFixed(5)}`}</small>
              </dd>
            </div>
            <div>
              <dt>
                <Icon name="arrow" />
                Moving
              </dt>
              <dd>
                {hit.heading === undefined ? 'not known' : `${compass(hit.heading)}bound`}
                <small>{DIRECTION[hit.direction] ?? ''}</small>
              </dd>
            </div>
            <div>
              <dt>
                <Icon name="clock" />
                Delay
              </dt>
              <dd>
                {delay > HOUR_MS ? <span class="late">{`${span(delay)}, from the past`}</span> : span(delay)}
                <small>capture to hit{hit.revision > 1 ? ` · update ${hit.revision}` : ''}</small>
              </dd>
            </div>
          </dl>
        </div>
        {withdrawn && (
          <p class="hit-note">
            Taken back: the finished read no longer matches this entry, or the entry left the list.
          </p>
        )}
      </article>
    </li>
  )
})
