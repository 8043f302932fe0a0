import { Icon } from '../shared/icon.js'
import type { HitMessage } from '../shared/protocol.js'
import { percent } from '../shared/text/quantities.js'
import { spell } from '../shared/text/spelling.js'
import { alignPlates, type AlignmentColumn } from './plate_alignment.js'

/** Below this probability even an exact match is marked as doubtful, because the read itself is. */
const DOUBTFUL = 0.7

/** The read above the listed plate, character by character. Differing characters are boxed; a near match has a ≈. */
export function PlateComparison({ hit }: { hit: HitMessage }) {
  const columns = alignPlates(hit.plate, hit.listedPlate)
  return (
    <div class="compare">
      <PlateRow plate={hit.plate} columns={columns} side="read" label="Read" />
      <PlateRow plate={hit.listedPlate} columns={columns} side="listed" label="Listed" />
      {hit.exact ? <ExactMatch hit={hit} /> : <NearMatch hit={hit} />}
    </div>
  )
}

function PlateRow({
  plate,
  columns,
  side,
  label,
}: {
  plate: string
  columns: AlignmentColumn[]
  side: 'read' | 'listed'
  label: string
}) {
  return (
    <div class="compare-row">
      <span class="compare-label" aria-hidden="true">
        {label}
      </span>
      <span class={`plate plate-${side}`}>
        <span class="visually-hidden">{`${label}: ${spell(plate)}. `}</span>
        <span aria-hidden="true">
          {columns.map((column, i) => (
            <span key={i} class={column.same ? 'char' : 'char char-differs'}>
              {column[side] || '·'}
            </span>
          ))}
        </span>
      </span>
    </div>
  )
}

function ExactMatch({ hit }: { hit: HitMessage }) {
  const doubtful = hit.probability < DOUBTFUL
  return (
    <p class={doubtful ? 'match match-near' : 'match match-exact'}>
      <Icon name="tick" />
      <span>
        Exact match, {doubtful && 'but only '}
        <b>{percent(hit.probability)}</b> likely{regionText(hit)}
      </span>
    </p>
  )
}

function NearMatch({ hit }: { hit: HitMessage }) {
  return (
    <p class="match match-near">
      <Icon name="near" />
      <span>
        Near match, <b>{percent(hit.probability)}</b> likely
        {hit.tolerated.length > 0 && ': '}
        {hit.tolerated.map((difference, i) => (
          <span key={i}>
            {i > 0 && ', '}
            {differenceText(difference)} <small>({percent(difference.probability)})</small>
          </span>
        ))}
        {regionText(hit)}
      </span>
    </p>
  )
}

/** Several states issue the same characters, so the card shows which state was read. */
const regionText = ({ region }: HitMessage): string => (region ? ` · state ${region}` : ' · state not read')

function differenceText({ position, read, listed }: HitMessage['tolerated'][number]): string {
  const number = position + 1
  if (read === '') return `no. ${number} “${listed}” not read`
  if (listed === '') return `“${read}” read before no. ${number}, not listed`
  return `no. ${number} read “${read}”, listed “${listed}”`
}
