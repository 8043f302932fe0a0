import { createReadStream, createWriteStream, rmSync, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { SeenPlate, Shot } from './shot.js'
import type { Vehicle } from './traffic.js'

/** Least width of a plate that counts as seen, pixels; narrower ones are recorded per frame only. */
export const kLeastPlateWidth = 45

interface Open {
  camera: string
  vehicle: Vehicle
  /**
   * First and last time at which the plate was at least `kLeastPlateWidth` wide; for a vehicle without a plate, at
   * which any of it was in the picture.
   */
  first?: string
  last?: string
  frames: string[]
  /** The frames of a parked car would fill the memory: they go to a temporary file. */
  aside?: { file: string; stream: WriteStream; count: number }
}

/**
 * Writes the ground truth while the feed is rendered, in the format of `bench/feeds/sample.truth.json`
 * (docs/sample-feed.md). A pass is written when its vehicle has left, so that memory does not grow with the feed.
 */
export class TruthWriter {
  readonly #file: string
  readonly #out: WriteStream
  readonly #open = new Map<Vehicle, Open>()
  #asides = 0
  #passes = 0
  #withPlate = 0

  constructor(file: string, facts: { seed: number; start: number; seconds: number }) {
    this.#file = file
    this.#out = createWriteStream(file)
    // `write` checks for an error; without a listener the error would end the process.
    this.#out.on('error', () => {})
    const { seed, start, seconds } = facts
    const head = JSON.stringify({
      seed,
      start: new Date(start).toISOString(),
      seconds,
      leastWidth: kLeastPlateWidth,
      hits: [],
    })
    this.#out.write(`${head.slice(0, -1)},"passes":[`)
  }

  /** Passes written, and those of them with a plate. */
  get counts(): { passes: number; withPlate: number } {
    return { passes: this.#passes, withPlate: this.#withPlate }
  }

  async add(camera: string, t: string, shot: Shot): Promise<void> {
    const plates = new Map(shot.plates.map((plate) => [plate.vehicle, plate]))
    for (const vehicle of shot.vehicles) {
      let pass = this.#open.get(vehicle)
      if (!pass)
        this.#open.set(
          vehicle,
          (pass = { camera, vehicle, frames: [], ...(vehicle.going === 'parked' && { aside: this.#aside() }) }),
        )
      const plate = plates.get(vehicle)
      if (vehicle.serial ? plate && plate.width >= kLeastPlateWidth : true) {
        pass.first ??= t
        pass.last = t
      }
      if (plate) await note(pass, t, plate)
    }
    const here = new Set(shot.vehicles)
    for (const pass of [...this.#open.values()])
      if (pass.camera === camera && !here.has(pass.vehicle)) await this.#finish(pass)
  }

  async close(): Promise<void> {
    for (const pass of [...this.#open.values()]) await this.#finish(pass)
    this.#out.end(']}\n')
    await finished(this.#out)
  }

  /** Closes and removes the temporary files after a failure; the truth stays incomplete. */
  abandon(): void {
    this.#out.destroy()
    for (const { aside } of this.#open.values())
      if (aside) {
        aside.stream.destroy()
        rmSync(aside.file, { force: true })
      }
  }

  #aside(): NonNullable<Open['aside']> {
    const file = `${this.#file}.parked-${this.#asides++}`
    const stream = createWriteStream(file)
    stream.on('error', () => {})
    return { file, stream, count: 0 }
  }

  async #finish(pass: Open): Promise<void> {
    this.#open.delete(pass.vehicle)
    const { vehicle, first, last, aside } = pass
    if (first !== undefined) {
      this.#passes++
      if (vehicle.serial) this.#withPlate++
      const { text, region, state } = vehicle.serial ?? { text: null, region: null, state: null }
      const facts = JSON.stringify({
        camera: pass.camera,
        plate: text,
        region,
        state,
        first,
        last,
        direction: vehicle.going,
      })
      await write(this.#out, `${this.#passes > 1 ? ',' : ''}\n${facts.slice(0, -1)},"frames":[${pass.frames.join(',')}`)
      if (aside) {
        aside.stream.end()
        await finished(aside.stream)
        for await (const chunk of createReadStream(aside.file)) await write(this.#out, chunk as Buffer)
      }
      await write(this.#out, ']}')
    }
    if (aside) {
      aside.stream.destroy()
      rmSync(aside.file, { force: true })
    }
  }
}

async function note(pass: Open, t: string, { quad, width }: SeenPlate): Promise<void> {
  const frame = JSON.stringify({ t, width: tenth(width), quad: quad.map(([u, v]) => [tenth(u), tenth(v)]) })
  if (pass.aside) await write(pass.aside.stream, `${pass.aside.count++ > 0 ? ',' : ''}${frame}`)
  else pass.frames.push(frame)
}

/** @throws the stream's error, e.g. for a full disk */
async function write(stream: WriteStream, data: string | Buffer): Promise<void> {
  if (stream.errored) throw stream.errored
  if (!stream.write(data)) await once(stream, 'drain')
}

const tenth = (value: number): number => Math.round(value * 10) / 10
