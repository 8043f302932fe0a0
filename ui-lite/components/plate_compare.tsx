import type { HitMessage } from '../../gateway/live/protocol.js'
import { align, spell, type Column } from '../text/plate.js'
import { percent } from '../text/words.js'
import { Icon } from './icon.js'

/** Below this probability the same characters are no reason for confidence: the reading itself was doubtful. */
const UNSURE = 0.7

/** What the camera read over what the list says, character under character; what differs is boxed and marked with ≈. */
export function PlateCompare({ hit }: { hit: HitMessage }) {
  const columns = align(hit.plate, hit.listedPlate)
  return (
    <div class="compare">
      <div class="compare-row">
        <span class="compare-label" aria-hidden="true">
          Read
        </span>
        <Plate plate={hit.plate} columns={columns} side="read" label="Read" />
      </div>
      <div class="compare-row">
        <span class="compare-label" aria-hidden="true">
          Listed
        </span>
        <Plate plate={hit.listedPlate} columns={columns} side="listed" label="Listed" />
      </div>
      <MatchKind hit={hit} />
    </div>
  )
}

function Plate({
  plate,
  columns,
  side,
  label,
}: {
  plate: string
  columns: Column[]
  side: 'read' | 'listed'
  label: string
}) {
  return (
    <span class={`plate plate-${side}`}>
      <span class="unseen">{`${label}: ${spell(plate)}. `}</span>
      <span aria-hidden="true">
        {columns.map((column, at) => (
          <span key={at} class={column.same ? 'char' : 'char char-differs'}>
            {column[side] || '·'}
          </span>
        ))}
      </span>
    </span>
  )
}

function MatchKind({ hit }: { hit: HitMessage }) {
  if (hit.exact) {
    const unsure = hit.probability < UNSURE
    return (
      <p class={unsure ? 'match match-near' : 'match match-exact'}>
        <Icon name="tick" />
        <span>
          Exact, {unsure && 'but only '}
          <b>{percent(hit.probability)}</b> sure{state(hit)}
        </span>
      </p>
    )
  }
  return (
    <p class="match match-near">
      <Icon name="near" />
      <span>
        Near match, <b>{percent(hit.probability)}</b> likely
        {hit.tolerated.length > 0 && (
          <>
            {': '}
            {hit.tolerated.map((t, i) => (
              <span key={i} class="tolerated">
                {i > 0 && ', '}
                {tolerance(t)} <small>({percent(t.probability)})</small>
              </span>
            ))}
          </>
        )}
        {state(hit)}
      </span>
    </p>
  )
}

/** The same characters exist in every state, so the card says which one was read. */
const state = ({ region }: HitMessage): string => (region ? ` · state ${region}` : ' · state not read')

function tolerance({ position, read, listed }: HitMessage['tolerated'][number]): string {
  if (read === '') return `no. ${position + 1} “${listed}” not read`
  if (listed === '') return `“${read}” read before no. ${position + 1}, not listed`
  return `no. ${position + 1} read “${read}”, listed “${listed}”`
}
