import type { IncomingHttpHeaders } from 'node:http'
import type { CameraPush } from '../../engine/mod.js'

/** A request of a camera that has proved who it is. */
export interface PushRequest {
  /** Path behind the camera and its secret, `/` at least. */
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Buffer
  push: CameraPush
  /** When the request came, ms since 1970 UTC. */
  arrivedAt: number
}

/** A JPEG that our recognizer reads. */
export interface PushedFrame {
  jpeg: Buffer
  /** ms since 1970 UTC; undefined: the camera says none, and the time of arrival counts. */
  capturedAt?: number
  position?: { lat: number; lon: number }
}

type Corner = [number, number]
type Quad = [Corner, Corner, Corner, Corner]

/** A plate that the camera read, with the fields that docs/feeds.md lists. */
export interface PushedDetection {
  /** ms since 1970 UTC. */
  capturedAt: number
  plate: string
  confidence: number
  characters?: number[]
  alternates?: { plate: string; confidence: number }[]
  region?: string
  track?: string
  report?: 'new' | 'update' | 'lost'
  position?: { lat: number; lon: number }
  heading?: number
  /** Metres a second. */
  speed?: number
  /** By index in `pictures` of the request. */
  pictures?: { scene?: number; plate?: number; quad?: Quad }
}

/** What an adapter made of a request. */
export interface Pushed {
  frames?: PushedFrame[]
  detections?: PushedDetection[]
  /** JPEGs that the detections name, at most 8. */
  pictures?: Buffer[]
  /** Names of what the camera sent and nobody can use: the rest counts. */
  leftOut: string[]
}

/** One kind of camera. Pure: the same request always gives the same. */
export interface Adapter {
  /** @throws ALPR_ERR_PUSH_INVALID, ALPR_ERR_PUSH_TIME_INVALID: nothing of the request is taken */
  parse(request: PushRequest): Pushed
}
