import type { ComponentChildren } from 'preact'
import { ArchivePicture } from '../shared/archive_picture.js'
import { Icon, type IconName } from '../shared/icon.js'
import { memo } from '../shared/memo.js'
import { PriorityBadge } from '../shared/priority_badge.js'
import type { HitMessage } from '../shared/protocol.js'
import { compass, DIRECTION } from '../shared/text/headings.js'
import { spell } from '../shared/text/spelling.js'
import { clockTime, duration, timeZone } from '../shared/text/time_text.js'
import type { ShownHit } from './board.js'
import { PlateComparison } from './plate_comparison.js'

const HOUR_MS = 3_600_000
/** A list that was loaded longer ago is marked as stale, ms. */
const STALE_LIST_MS = 12 * HOUR_MS

/** One possible match. `now` is coarse (half a minute), because only ages depend on it. */
export const HitCard = memo(function HitCard({
  shown: { hit, replayed, delayMs },
  now,
}: {
  shown: ShownHit
  now: number
}) {
  const withdrawn = hit.state === 'withdrawn'
  const seen = Date.parse(hit.tsLast)
  const titleId = `hit-${hit.hitId}`
  return (
    <li class={`hit priority-${hit.priority}${withdrawn ? ' hit-withdrawn' : ''}${replayed ? '' : ' hit-new'}`}>
      <article tabIndex={-1} aria-labelledby={titleId} data-hit={hit.hitId}>
        <header class="hit-head">
          <h3 id={titleId} class="hit-title">
            {withdrawn ? (
              <span class="badge badge-withdrawn">
                <Icon name="withdrawn" />
                Withdrawn
              </span>
            ) : (
              <span class="hit-possible">Possible match</span>
            )}
            <span class="visually-hidden">{` ${spell(hit.listedPlate)}, `}</span>
          </h3>
          <PriorityBadge priority={hit.priority} />
          <span class="hit-reason">{hit.reason || 'no reason given'}</span>
          <time class="hit-time" dateTime={hit.ts}>
            {clockTime(seen, now)} <small>{timeZone(seen)}</small>
          </time>
        </header>
        <div class="hit-body">
          <div class="hit-pictures">
            <ArchivePicture crop={hit.crop} kind="plate" alt={`Plate as seen: ${spell(hit.plate)}`} />
            {hit.picture && <ArchivePicture crop={hit.picture} kind="vehicle" alt="Vehicle as seen" />}
          </div>
          <PlateComparison hit={hit} />
          <HitFacts hit={hit} delayMs={delayMs} now={now} />
        </div>
        {withdrawn && (
          <p class="hit-note">
            Withdrawn: the completed read no longer matches this list entry, or the entry was removed from the list.
          </p>
        )}
      </article>
    </li>
  )
})

function HitFacts({ hit, delayMs, now }: { hit: HitMessage; delayMs: number; now: number }) {
  const loaded = Date.parse(hit.listLoadedAt)
  const stale = now - loaded > STALE_LIST_MS
  return (
    <dl class="facts">
      <Fact icon="list" label="Hot list">
        {hit.listName}
        <small class={stale ? 'stale' : ''}>
          {stale && <Icon name="warning" />}
          {`loaded ${clockTime(loaded, now)}, ${duration(now - loaded)} old`}
        </small>
      </Fact>
      <Fact icon="camera" label="Camera">
        {hit.cameraName || hit.camera}
        <small>{`${hit.lat.toFixed(5)}, ${hit.lon.toFixed(5)}`}</small>
      </Fact>
      <Fact icon="arrow" label="Heading">
        {hit.heading === undefined ? 'unknown' : `${compass(hit.heading)}bound`}
        <small>{DIRECTION[hit.direction] ?? ''}</small>
      </Fact>
      <Fact icon="clock" label="Delay">
        {delayMs > HOUR_MS ? <span class="late">{`${duration(delayMs)}, recorded earlier`}</span> : duration(delayMs)}
        <small>capture to hit{hit.revision > 1 ? ` · update ${hit.revision}` : ''}</small>
      </Fact>
    </dl>
  )
}

function Fact({ icon, label, children }: { icon: IconName; label: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>
        <Icon name={icon} />
        {label}
      </dt>
      <dd>{children}</dd>
    </div>
  )
}
