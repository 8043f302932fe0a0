import { pictureBytes } from './picture.js'
import type { Random } from './random.js'

export type EntranceName = 'frames' | 'detections'

/** A message that a camera sends once, or several times under the same id. */
export interface CameraMessage {
  /** Nats-Msg-Id. */
  id: string
  camera: string
  entrance: EntranceName
  /** When it is captured, virtual time, ms. */
  at: number
  /** When it is first sent, if later. */
  sentAt?: number
  /** Plates of its valid detections, in order. */
  plates: string[]
  /** Invalid detections of an otherwise valid message. */
  invalidParts: number
  /** The whole message is invalid. */
  isBroken: boolean
  /** @param capturedAt RFC 3339 */
  payload(capturedAt: string): Buffer
}

export interface CameraPlan {
  camera: string
  entrance: EntranceName
  messages: CameraMessage[]
}

export interface TrafficOptions {
  cameras: number
  /** Virtual time, ms. */
  from: number
  until: number
  entrances: readonly EntranceName[]
  /** Frames are taken at one place, one for each car, and plates are partly alike: a gate with a loop in the ground. */
  triggered: boolean
  /** The recognizer takes long for each frame of the first camera, and sees it often. */
  slowFrames: boolean
  /** More bytes of each of its frames than of others. */
  slowBytes: number
}

/** Event time after which a pass closes (settings.engine.passGapMs), and a margin. */
const BETWEEN_CARS_MS = 3_600

/** Every car of a run has a plate of its own, so that each stored detection is known by the plate of its read. */
export function planTraffic(random: Random, options: TrafficOptions): CameraPlan[] {
  const plates = new Plates(random)
  return Array.from({ length: options.cameras }, (_, index) => {
    const entrance = options.entrances[index % options.entrances.length]!
    const isSlow = options.slowFrames && index === 0
    const pace = isSlow ? (options.slowBytes > 0 ? { ...FILLING, bytes: options.slowBytes } : SLOW) : USUAL
    return planCamera(`cam-${index}`, entrance, random, options, pace, plates)
  })
}

/** How a camera's frames come. Times in ms. */
interface Pace {
  /** Frames of a car, at most. */
  frames: number
  /** From one frame to the next, and after a car. */
  step: readonly [number, number]
  pause: readonly [number, number]
  recognition: (random: Random) => number
  /** What a frame has besides its content. */
  bytes: number
}

const USUAL: Pace = {
  frames: 5,
  step: [150, 500],
  pause: [0, 2_500],
  recognition: (random) => (random.chance(0.03) ? 200 : random.between(2, 12)),
  bytes: 0,
}
const SLOW: Pace = {
  frames: 30,
  step: [50, 150],
  pause: [0, 100],
  recognition: (random) => random.between(300, 900),
  bytes: 0,
}

/** Far more than can be read. */
const FILLING: Pace = { ...SLOW, frames: 300, recognition: (random) => random.between(150, 450) }

function planCamera(
  camera: string,
  entrance: EntranceName,
  random: Random,
  { from, until, triggered }: TrafficOptions,
  { frames: mostFrames, step: steps, pause, recognition, bytes }: Pace,
  plates: Plates,
): CameraPlan {
  const messages: CameraMessage[] = []
  let at = from + random.between(0, 3_000)
  let cars = 0
  const nextKey = () => `${camera}/${messages.length}`
  const add = (message: Omit<CameraMessage, 'id' | 'camera' | 'entrance' | 'at'>) =>
    messages.push({ ...message, id: `${camera}/${messages.length}`, camera, entrance, at: Math.floor(at) })
  while (at < until) {
    const step = random.between(...steps)
    if (random.chance(0.04)) add(brokenMessage(entrance, random))
    else if (entrance === 'frames') {
      const car = triggered
        ? { plate: plates.alike(), x: 200, y: 400, speed: 0, frames: 1 }
        : {
            plate: plates.next(),
            x: random.between(100, 300),
            // Never where the car before it was.
            y: 100 + 150 * (cars++ % 5) + random.between(0, 20),
            speed: random.between(20, 150) * (5 / mostFrames),
            frames: 1 + random.int(mostFrames),
          }
      for (let n = 0; n < car.frames; n++, at += step)
        add(frameOf(nextKey(), recognition(random), car.plate, { x: car.x + n * car.speed, y: car.y }, bytes))
      if (!triggered && random.chance(0.5)) add(frameOf(nextKey(), recognition(random)))
    } else if (random.chance(0.4)) add(detectionsMessage(random, plates))
    else {
      const plate = plates.next()
      for (let frames = 1 + random.int(4), n = 0; n < frames; n++, at += step) add(trackedMessage(plate))
    }
    at += BETWEEN_CARS_MS + random.between(...pause)
  }
  return { camera, entrance, messages }
}

/** The last message of a camera, which closes the passes of the messages before it. */
export function closingMessage({ camera, entrance }: CameraPlan, at: number, plate: string): CameraMessage {
  const isFrame = entrance === 'frames'
  const id = `${camera}/closing-${Math.floor(at)}`
  return {
    id,
    camera,
    entrance,
    at,
    plates: isFrame ? [] : [plate],
    invalidParts: 0,
    isBroken: false,
    payload: (capturedAt) =>
      isFrame
        ? pictureBytes({ key: id, detections: [], ms: 1, isBroken: false })
        : jsonBytes({ capturedAt, plate, confidence: 0.9 }),
  }
}

function frameOf(key: string, ms: number, plate?: string, place = { x: 0, y: 0 }, bytes = 0) {
  const detections = plate === undefined ? [] : [{ plate, confidence: 0.92, ...place, width: 120 }]
  return {
    plates: plate === undefined ? [] : [plate],
    invalidParts: 0,
    isBroken: false,
    // White space at the end of JSON means nothing.
    payload: () => Buffer.concat([pictureBytes({ key, detections, ms, isBroken: false }), Buffer.alloc(bytes, ' ')]),
  }
}

function trackedMessage(plate: string) {
  return {
    plates: [plate],
    invalidParts: 0,
    isBroken: false,
    payload: (capturedAt: string) => jsonBytes({ capturedAt, plate, confidence: 0.92, track: plate }),
  }
}

/** Several vehicles that the camera does not follow; some of the detections are invalid. */
function detectionsMessage(random: Random, plates: Plates) {
  const parts = Array.from({ length: 1 + random.int(4) }, () => ({
    plate: plates.next(),
    isValid: random.chance(0.9),
  }))
  const valid = parts.filter(({ isValid }) => isValid)
  return {
    plates: valid.map(({ plate }) => plate),
    invalidParts: parts.length - valid.length,
    isBroken: false,
    payload: (capturedAt: string) =>
      jsonBytes(parts.map(({ plate, isValid }) => ({ capturedAt, plate, confidence: isValid ? 0.9 : 7 }))),
  }
}

function brokenMessage(entrance: EntranceName, random: Random) {
  const key = `broken ${random.int(1e9)}`
  return {
    plates: [],
    invalidParts: 0,
    isBroken: true,
    payload: () =>
      entrance === 'frames'
        ? pictureBytes({ key, detections: [], ms: 3, isBroken: true })
        : Buffer.from(`{ this is not JSON: ${key}`),
  }
}

const jsonBytes = (value: object): Buffer => Buffer.from(JSON.stringify(value))

/** Plates that no reader confuses: each differs from every other in most of its characters. */
export class Plates {
  private readonly used = new Set<string>()

  constructor(private readonly random: Random) {}

  next(): string {
    for (;;) {
      let plate = ''
      for (let i = 0; i < 7; i++) plate += LETTERS[this.random.int(LETTERS.length)]
      if (this.used.has(plate)) continue
      this.used.add(plate)
      return plate
    }
  }

  /** One that has three of seven characters in common with the others of its kind, as plates of one region have. */
  alike(): string {
    const plate = this.next()
    return `7${plate.slice(1, 3)}A${plate.slice(4, 6)}4`
  }
}

const LETTERS = 'ACEFHJKLMNPRTUVWXY34679'
