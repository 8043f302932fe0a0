import { useEffect, useRef, useState } from 'preact/hooks'
import type { Picture } from './recognition.js'
import type { Answer } from './worker_protocol.js'
import { sayFault } from './fault_text.js'
import { plural } from '../shared/text/words.js'
import { Icon } from '../shared/icon.js'
import { PlateResult } from './plate_result.js'

/** A picture is drawn no wider than this, pixels. */
const WIDEST = 1_600

/** One picture: what it shows, with the plates marked on it, and what was read. */
export function PictureResult({ picture }: { picture: Picture }) {
  const { id, name, answer, fault } = picture
  return (
    <article class="result" aria-labelledby={`picture-${id}`} aria-busy={!answer && !fault}>
      <header class="result-head">
        <h3 id={`picture-${id}`}>{name}</h3>
        {answer && <Facts answer={answer} />}
        {!answer && !fault && <span class="result-facts">Reading …</span>}
      </header>
      {fault && (
        <p class="result-fault">
          <Icon name="warning" />
          <span>{sayFault(fault)}</span>
        </p>
      )}
      {answer && (
        <div class="result-body">
          <Marked picture={picture} answer={answer} />
          <div class="plates">
            {answer.detections.length === 0 && <p class="empty-title">No plate found.</p>}
            {answer.detections.map((detection, i) => (
              <PlateResult key={i} number={i + 1} detection={detection} crop={answer.crops[i]!} />
            ))}
          </div>
        </div>
      )}
    </article>
  )
}

function Facts({ answer: { width, height, ms, detections } }: { answer: Answer }) {
  const { decode, find, read } = ms
  return (
    <p class="result-facts">
      {width} × {height} · {plural(detections.length, 'plate')} · <b>{(decode + find + read).toFixed(1)} ms</b> (decode{' '}
      {decode.toFixed(1)}, find {find.toFixed(1)}, read {read.toFixed(1)})
    </p>
  )
}

/** The picture with its plates outlined and numbered. */
function Marked({ picture, answer }: { picture: Picture; answer: Answer }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [shown, setShown] = useState(true)
  const { width, height } = answer
  useEffect(() => {
    let gone = false
    createImageBitmap(picture.file)
      .then((bitmap) => {
        if (!gone)
          canvas.current!.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.current!.width, canvas.current!.height)
        bitmap.close()
      })
      .catch(() => setShown(false))
    return () => {
      gone = true
    }
  }, [picture.file])
  const scale = Math.min(1, WIDEST / width)
  const stroke = Math.max(width, height) / 250
  return (
    <figure class="marked">
      <canvas
        ref={canvas}
        width={Math.max(1, Math.round(width * scale))}
        height={Math.max(1, Math.round(height * scale))}
        role="img"
        aria-label={picture.name}
        hidden={!shown}
      />
      <svg class="marks" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {answer.detections.map(({ quad }, i) => (
          <g key={i}>
            <polygon
              class="mark-edge"
              points={quad.map((corner) => corner.join()).join(' ')}
              stroke-width={stroke * 2}
            />
            <polygon class="mark" points={quad.map((corner) => corner.join()).join(' ')} stroke-width={stroke} />
            {answer.detections.length > 1 && (
              <text
                class="mark-number"
                x={quad[0][0]}
                y={Math.max(stroke * 7, quad[0][1] - stroke * 2)}
                font-size={stroke * 7}
                stroke-width={stroke}
              >
                {i + 1}
              </text>
            )}
          </g>
        ))}
      </svg>
    </figure>
  )
}
