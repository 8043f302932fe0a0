import { useEffect, useRef, useState } from 'preact/hooks'
import type { SubmittedPicture } from './recognition.js'
import type { RecognitionResult } from './worker_protocol.js'

/** The canvas is no wider than this, pixels. */
const MAX_WIDTH = 1_600

/** The picture with its plates outlined, and numbered if there are several. */
export function MarkedPicture({ picture, result }: { picture: SubmittedPicture; result: RecognitionResult }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [drawable, setDrawable] = useState(true)
  const { width, height, detections } = result
  useEffect(() => {
    let removed = false
    createImageBitmap(picture.file)
      .then((bitmap) => {
        if (!removed) draw(bitmap, canvas.current!)
        bitmap.close()
      })
      .catch(() => setDrawable(false))
    return () => {
      removed = true
    }
  }, [picture.file])
  const scale = Math.min(1, MAX_WIDTH / width)
  const stroke = Math.max(width, height) / 250
  return (
    <figure class="marked">
      <canvas
        ref={canvas}
        width={Math.max(1, Math.round(width * scale))}
        height={Math.max(1, Math.round(height * scale))}
        role="img"
        aria-label={picture.name}
        hidden={!drawable}
      />
      <svg class="marks" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {detections.map(({ quad }, i) => {
          const points = quad.map((corner) => corner.join()).join(' ')
          return (
            <g key={i}>
              <polygon class="mark-edge" points={points} stroke-width={stroke * 2} />
              <polygon class="mark" points={points} stroke-width={stroke} />
              {detections.length > 1 && (
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
          )
        })}
      </svg>
    </figure>
  )
}

function draw(bitmap: ImageBitmap, canvas: HTMLCanvasElement): void {
  canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
}
