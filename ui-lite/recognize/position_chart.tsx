import { CHARACTERS } from '../shared/recognizer.js'
import { percent } from '../shared/text/quantities.js'

/** Characters shown per position, at most. */
const MAX_SHOWN = 4
/** Less probable characters are not shown, except the best one. */
const MIN_PROBABILITY = 0.005
/** Name of the class behind the characters: the position may be spurious. */
const NONE = 'none'

interface Candidate {
  character: string
  probability: number
}

/**
 * The most probable characters of each position of the plate, with bars.
 * @param positions P(class | position), 37 classes each
 */
export function PositionChart({ positions, plate }: { positions: Float32Array[]; plate: string }) {
  return (
    <ol class="positions">
      {positions.map((position, i) => (
        <li key={i} class="position">
          <span class="visually-hidden">{`Position ${i + 1}: `}</span>
          <ol>
            {candidates(position).map(({ character, probability }) => (
              <li key={character} class={character === plate[i] ? 'candidate candidate-best' : 'candidate'}>
                <span class={character === NONE ? 'candidate-none' : 'plate'}>{character}</span>
                <span class="candidate-value">{percent(probability)}</span>
                <span class="candidate-bar" aria-hidden="true">
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

/** The characters to show for a position, best first. */
function candidates(position: Float32Array): Candidate[] {
  return Array.from(position, (probability, i) => ({ character: CHARACTERS[i] ?? NONE, probability }))
    .sort((a, b) => b.probability - a.probability)
    .filter(({ probability }, i) => i === 0 || (i < MAX_SHOWN && probability >= MIN_PROBABILITY))
}
