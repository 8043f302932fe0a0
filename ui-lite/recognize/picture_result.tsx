import { Icon } from '../shared/icon.js'
import { plural } from '../shared/text/quantities.js'
import { faultText } from './fault_text.js'
import { MarkedPicture } from './marked_picture.js'
import { PlateResult } from './plate_result.js'
import type { SubmittedPicture } from './recognition.js'
import type { RecognitionResult } from './worker_protocol.js'

/** One picture with its plates marked, and what was read. */
export function PictureResult({ picture }: { picture: SubmittedPicture }) {
  const { id, name, result, fault } = picture
  return (
    <article class="result" aria-labelledby={`picture-${id}`} aria-busy={!result && !fault}>
      <header class="result-head">
        <h3 id={`picture-${id}`}>{name}</h3>
        {result && <ResultFacts result={result} />}
        {!result && !fault && <span class="result-facts">Reading …</span>}
      </header>
      {fault && (
        <p class="result-fault">
          <Icon name="warning" />
          <span>{faultText(fault)}</span>
        </p>
      )}
      {result && (
        <div class="result-body">
          <MarkedPicture picture={picture} result={result} />
          <div class="plates">
            {result.damagedShare !== undefined && (
              <p class="result-fault">
                <Icon name="warning" />
                <span>
                  The picture is damaged and was read in part ({Math.floor(result.damagedShare * 100)} %): confidences
                  are lower.
                </span>
              </p>
            )}
            {result.detections.length === 0 && <p class="empty-title">No plate found.</p>}
            {result.detections.map((detection, i) => (
              <PlateResult key={i} number={i + 1} detection={detection} crop={result.crops[i]!} />
            ))}
          </div>
        </div>
      )}
    </article>
  )
}

function ResultFacts({ result: { width, height, ms, detections } }: { result: RecognitionResult }) {
  const { decode, find, read } = ms
  const parts = `decode ${decode.toFixed(1)}, find ${find.toFixed(1)}, read ${read.toFixed(1)}`
  return (
    <p class="result-facts">
      {width} × {height} · {plural(detections.length, 'plate')} · <b>{(decode + find + read).toFixed(1)} ms</b> ({parts}
      )
    </p>
  )
}
