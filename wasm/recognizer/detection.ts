/** Characters of a plate in the order of the classes; class 36, behind them, is 'none'. */
export const CHARACTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
export const CLASSES = 37
export const NONE = 36

/**
 * Corners clockwise from the top left of the plate as read, in pixels of the frame (fractions included; may lie
 * outside).
 */
export type Quad = [[number, number], [number, number], [number, number], [number, number]]

/** One plate found in one frame. */
export interface Detection {
  /** Best text, 3 to 12 of [A-Z0-9]. */
  plate: string
  /** How often a text read with this confidence is right, 0..1 (calibrated with the model). */
  confidence: number
  quad: Quad
  /** Of the fine look, 0..1: is this a plate at all. */
  score: number
  /**
   * For each position of `plate`, P(class | position): 37 probabilities, [0-9A-Z] and 'none' (the position may be
   * spurious). They come from all alignments of the reader's output, softened so that the product of the best agrees
   * with `confidence`.
   */
  positions: Float32Array[]
  /** Other texts, best first, at most 5, without the best. */
  alternates: { plate: string; confidence: number }[]
  /** State or country of issue, as ISO 3166 writes it ("US-CA", "FR"); null when it cannot be told. */
  region: string | null
  /** How often a region named with this confidence is right, 0..1; 0 when none is named. */
  regionConfidence: number
  quality: Quality
}

/** What a person would say about the picture of the plate. */
export interface Quality {
  /** Mean length of the plate's left and right side, and of its upper and lower side, frame pixels. */
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
