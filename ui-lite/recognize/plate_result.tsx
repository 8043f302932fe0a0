import { useEffect, useRef } from 'preact/hooks'
import type { Detection } from '../shared/recognizer.js'
import { percent } from '../shared/text/quantities.js'
import { spell } from '../shared/text/spelling.js'
import { PositionChart } from './position_chart.js'

/** One plate: what it looks like, what it says and how confident the recognizer is, and what else it may say. */
export function PlateResult({ number, detection, crop }: { number: number; detection: Detection; crop: ImageData }) {
  const { plate, confidence, region, regionConfidence } = detection
  return (
    <section class="found" aria-label={`Plate ${number}: ${spell(plate)}`}>
      <div class="found-head">
        <PlateCrop crop={crop} />
        <div>
          <p class="plate found-plate">
            <span class="visually-hidden">{spell(plate)}</span>
            <span aria-hidden="true">{plate}</span>
          </p>
          <p class="found-confidence">
            <b>{percent(confidence)}</b> sure ·{' '}
            {region === null ? (
              'issuer not read'
            ) : (
              <>
                issued by <b>{region}</b>, {percent(regionConfidence)}
              </>
            )}
          </p>
        </div>
      </div>
      <h4>Characters by position</h4>
      <PositionChart positions={detection.positions} plate={plate} />
      <h4>Alternatives</h4>
      <Alternates alternates={detection.alternates} />
      <h4>Picture quality</h4>
      <QualityFacts detection={detection} />
    </section>
  )
}

function PlateCrop({ crop }: { crop: ImageData }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => canvas.current!.getContext('2d')!.putImageData(crop, 0, 0), [crop])
  return (
    <canvas
      class="found-crop"
      ref={canvas}
      width={crop.width}
      height={crop.height}
      role="img"
      aria-label="the plate, rectified"
    />
  )
}

function Alternates({ alternates }: { alternates: Detection['alternates'] }) {
  if (alternates.length === 0) return <p class="small">none</p>
  return (
    <ol class="alternates">
      {alternates.map(({ plate, confidence }) => (
        <li key={plate}>
          <span class="plate plate-small">{plate}</span>{' '}
          <small>{confidence < 0.005 ? 'under 1 %' : percent(confidence)}</small>
        </li>
      ))}
    </ol>
  )
}

function QualityFacts({ detection: { quality, score } }: { detection: Detection }) {
  const facts: [name: string, value: string][] = [
    ['Size', `${quality.widthPx.toFixed(0)} × ${quality.heightPx.toFixed(0)} px`],
    ['Sharpness', percent(quality.sharpness)],
    ['Contrast', percent(quality.contrast)],
    ['Glare', percent(quality.glare)],
    ['Finder', percent(score)],
  ]
  return (
    <dl class="quality">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
