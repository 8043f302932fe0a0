import { useEffect, useRef } from 'preact/hooks'
import type { Detection, Quality } from '../../wasm/browser.js'
import { spell } from '../text/plate.js'
import { percent } from '../text/words.js'
import { PositionChart } from './position_chart.js'

/** One plate: how it looks, what it says, how sure that is, what else it may be. */
export function PlateResult({ number, detection, crop }: { number: number; detection: Detection; crop: ImageData }) {
  const { plate, confidence, region, regionConfidence, alternates, quality, score } = detection
  return (
    <section class="found" aria-label={`Plate ${number}: ${spell(plate)}`}>
      <div class="found-head">
        <Crop crop={crop} />
        <div>
          <p class="plate found-plate">
            <span class="unseen">{spell(plate)}</span>
            <span aria-hidden="true">{plate}</span>
          </p>
          <p class="found-sure">
            <b>{percent(confidence)}</b> sure ·{' '}
            {region === null ? (
              'issuer not told'
            ) : (
              <>
                issued by <b>{region}</b>, {percent(regionConfidence)}
              </>
            )}
          </p>
        </div>
      </div>
      <h4>Each position</h4>
      <PositionChart positions={detection.positions} plate={plate} />
      <h4>May also be</h4>
      {alternates.length === 0 ? (
        <p class="small">nothing else</p>
      ) : (
        <ol class="alternates">
          {alternates.map((other) => (
            <li key={other.plate}>
              <span class="plate plate-small">{other.plate}</span> <small>{chance(other.confidence)}</small>
            </li>
          ))}
        </ol>
      )}
      <h4>Quality of the picture</h4>
      <QualityFacts quality={quality} score={score} />
    </section>
  )
}

/** Of what is hardly possible: not rounded up to a whole per cent. */
const chance = (probability: number): string => (probability < 0.005 ? 'under 1 %' : percent(probability))

function Crop({ crop }: { crop: ImageData }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => canvas.current!.getContext('2d')!.putImageData(crop, 0, 0), [crop])
  return (
    <canvas
      class="found-crop"
      ref={canvas}
      width={crop.width}
      height={crop.height}
      role="img"
      aria-label="the plate, straightened"
    />
  )
}

function QualityFacts({ quality, score }: { quality: Quality; score: number }) {
  const facts: [string, string][] = [
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
