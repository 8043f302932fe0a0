/**
 * Corners clockwise from the top left of the plate as read, in frame pixels, with fractions; they may lie outside the
 * frame.
 */
export type Quad = [[number, number], [number, number], [number, number], [number, number]]

/** One plate found in one frame. */
export interface Detection {
  /** Best text, 3 to 12 of [A-Z0-9]. */
  plate: string
  /** Share of texts with this confidence that are right, 0..1 (calibrated with the model). */
  confidence: number
  quad: Quad
  /** Score of the fine look, 0..1: whether this is a plate at all. */
  score: number
  /**
   * For each position of `plate`, P(class | position): 37 probabilities, [0-9A-Z] and 'none' (the position may be
   * spurious). They come from all alignments of the reader's output, softened so that the product of the best
   * characters agrees with `confidence`.
   */
  positions: Float32Array[]
  /** Other texts, most probable first, at most 5. */
  alternates: { plate: string; confidence: number }[]
  /** State or country of issue, as an ISO 3166 code ("US-CA", "FR"); null when it is not certain enough. */
  region: string | null
  /** Share of regions named with this confidence that are right, 0..1; 0 when none is named. */
  regionConfidence: number
  quality: Quality
}

/** Image quality of the plate. */
export interface Quality {
  /** Mean length of the plate's left and right sides, and of its upper and lower sides, frame pixels. */
  heightPx: number
  widthPx: number
  /** 0..1: near 1 for crisp strokes, under 0.3 for a blur. */
  sharpness: number
  /** 0..1: bright end minus dark end of the grey values. */
  contrast: number
  /** 0..1: share of blown-out pixels. */
  glare: number
}

/** Where the time of one frame went, milliseconds. */
export interface Timings {
  /** Pyramid, coarse look and fine looks. */
  find: number
  /** The fine looks' part of `find`. */
  fine: number
  /** Rectifying and reading the plates. */
  read: number
}

/**
 * Detections of a picture that was reduced while it was decoded, in pixels of the picture itself.
 * @param by `reduced` of decodePicture
 */
export function enlarged(detections: Detection[], by: number): Detection[] {
  if (by === 1) return detections
  return detections.map((detection) => ({
    ...detection,
    quad: detection.quad.map(([x, y]) => [x * by, y * by]) as Quad,
    quality: {
      ...detection.quality,
      heightPx: detection.quality.heightPx * by,
      widthPx: detection.quality.widthPx * by,
    },
  }))
}
