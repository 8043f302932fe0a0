import { CHARACTERS } from '../../wasm/browser.js'
import { percent } from '../text/words.js'

/** Characters shown of a position, at most; and what is too improbable to show. */
const MOST = 4
const LEAST = 0.005

/**
 * Of each position of the text the most probable characters, with bars. A position that may be spurious has 'none'
 * among them.
 */
export function PositionChart({ positions, plate }: { positions: Float32Array[]; plate: string }) {
  return (
    <ol class="positions">
      {positions.map((position, i) => (
        <li key={i} class="position">
          <span class="unseen">{`Position ${i + 1}: `}</span>
          <ol>
            {best(position).map(({ character, probability }) => (
              <li key={character} class={character === plate[i] ? 'chance chance-best' : 'chance'}>
                <span class={character === NOTHING ? 'chance-none' : 'plate'}>{character}</span>
                <span class="chance-value">{percent(probability)}</span>
                <span class="chance-bar" aria-hidden="true">
                  <span style={{ width: `${probability * 100}%` }} />
                </span>
              </li>
            ))}
          </ol>
        </li>
      ))}
    </ol>
  )
}

const NOTHING = 'none'

function best(position: Float32Array): { character: string; probability: number }[] {
  return Array.from(position, (probability, i) => ({ character: CHARACTERS[i] ?? NOTHING, probability }))
    .sort((a, b) => b.probability - a.probability)
    .filter(({ probability }, i) => i === 0 || (i < MOST && probability >= LEAST))
}
