import { createReadStream, createWriteStream, rmSync, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import type { SeenPlate, Shot } from './shot.js'
import type { Vehicle } from './traffic.js'

/** Pixels: a plate that is narrower is told of frame by frame, but does not count as seen. */
export const kLeastPlateWidth = 45

interface Open {
  camera: string
  vehicle: Vehicle
  /**
   * Times at which the plate was at least `kLeastPlateWidth` wide; of a vehicle without a plate: at which any of it was
   * in the picture.
   */
  first?: string
  last?: string
  frames: string[]
  /** Frames of a car that stays would fill the memory: they go to a file beside. */
  aside?: { file: string; stream: WriteStream; count: number }
}

/**
 * Writes what passed where, in the format of `bench/feeds/sample.truth.json` (docs/sample-feed.md), while the feed is
 * being rendered: a pass is written as soon as its vehicle is gone, so that memory does not grow with the feed.
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
    // Looked at when something is written; without a listener an error would end the process.
    this.#out.on('error', () => {})
    this.#out.write(
      `{"seed":${facts.seed},"start":"${new Date(facts.start).toISOString()}","seconds":${facts.seconds},"leastWidth":${kLeastPlateWidth},"hits":[],"passes":[`,
    )
  }

  /** Passes written, and how many of them have a plate. */
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

  /** Ends without an answer, after a failure. */
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

/** @throws the stream's own error, e.g. of a full disk */
async function write(stream: WriteStream, data: string | Buffer): Promise<void> {
  if (stream.errored) throw stream.errored
  if (!stream.write(data)) await once(stream, 'drain')
}

const tenth = (value: number): number => Math.round(value * 10) / 10
