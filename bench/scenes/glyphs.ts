/**
 * An alphabet in the style of embossed plates: rounded strokes of one thickness. A glyph is a list of paths, a path is
 * a list of [x, y, round]: x and y from 0 to 1 (y downwards), `round` the corner's radius as a share of the face's.
 */
export type Corner = readonly [x: number, y: number, round?: number]
export type Path = readonly Corner[]

const box = (x0: number, y0: number, x1: number, y1: number): Path => [
  [(x0 + x1) / 2, y0],
  [x1, y0, 1],
  [x1, y1, 1],
  [x0, y1, 1],
  [x0, y0, 1],
  [(x0 + x1) / 2, y0],
]

const kMiddle = 0.48

export const GLYPHS: Readonly<Record<string, readonly Path[]>> = {
  0: [box(0, 0, 1, 1)],
  1: [
    [
      [0.1, 0.2],
      [0.55, 0],
      [0.55, 1],
    ],
  ],
  2: [
    [
      [0, 0.22],
      [0, 0, 1],
      [1, 0, 1],
      [1, 0.42, 0.8],
      [0, 0.9, 0.4],
      [0, 1],
      [1, 1],
    ],
  ],
  3: [
    [
      [0, 0.2],
      [0, 0, 1],
      [0.95, 0, 1],
      [0.95, kMiddle, 0.9],
      [0.35, kMiddle],
    ],
    [
      [0.35, kMiddle],
      [1, kMiddle, 0.9],
      [1, 1, 1],
      [0, 1, 1],
      [0, 0.8],
    ],
  ],
  4: [
    [
      [1, 0.73],
      [0, 0.73],
      [0.66, 0],
      [0.76, 0],
      [0.76, 1],
    ],
  ],
  5: [
    [
      [0.95, 0],
      [0.06, 0],
      [0.03, kMiddle],
      [0.2, 0.42, 0.4],
      [1, 0.4, 1],
      [1, 1, 1],
      [0, 1, 1],
      [0, 0.8],
    ],
  ],
  6: [
    box(0, kMiddle, 1, 1),
    [
      [0, 0.75],
      [0, 0, 1],
      [1, 0, 1],
      [1, 0.2],
    ],
  ],
  7: [
    [
      [0, 0],
      [1, 0],
    ],
    [
      [1, 0],
      [1, 0.08],
      [0.3, 1],
    ],
  ],
  8: [box(0.05, 0, 0.95, kMiddle), box(0, kMiddle, 1, 1)],
  9: [
    box(0, 0, 1, 1 - kMiddle),
    [
      [1, 0.25],
      [1, 1, 1],
      [0, 1, 1],
      [0, 0.8],
    ],
  ],
  A: [
    [
      [0, 1],
      [0.45, 0],
      [0.55, 0],
      [1, 1],
    ],
    [
      [0.18, 0.68],
      [0.82, 0.68],
    ],
  ],
  B: [
    [
      [0, 0],
      [0.93, 0, 0.9],
      [0.93, kMiddle, 0.9],
      [0, kMiddle],
    ],
    [
      [0, kMiddle],
      [1, kMiddle, 0.9],
      [1, 1, 0.9],
      [0, 1],
      [0, 0],
    ],
  ],
  C: [
    [
      [1, 0.24],
      [1, 0, 1],
      [0, 0, 1],
      [0, 1, 1],
      [1, 1, 1],
      [1, 0.76],
    ],
  ],
  D: [
    [
      [0.4, 0],
      [1, 0, 1],
      [1, 1, 1],
      [0, 1],
      [0, 0],
      [0.4, 0],
    ],
  ],
  E: [
    [
      [1, 0],
      [0, 0],
      [0, 1],
      [1, 1],
    ],
    [
      [0, 0.5],
      [0.8, 0.5],
    ],
  ],
  F: [
    [
      [1, 0],
      [0, 0],
      [0, 1],
    ],
    [
      [0, 0.5],
      [0.8, 0.5],
    ],
  ],
  G: [
    [
      [1, 0.22],
      [1, 0, 1],
      [0, 0, 1],
      [0, 1, 1],
      [1, 1, 1],
      [1, 0.54],
      [0.55, 0.54],
    ],
  ],
  H: [
    [
      [0, 0],
      [0, 1],
    ],
    [
      [1, 0],
      [1, 1],
    ],
    [
      [0, 0.5],
      [1, 0.5],
    ],
  ],
  I: [
    [
      [0.5, 0],
      [0.5, 1],
    ],
  ],
  J: [
    [
      [1, 0],
      [1, 1, 1],
      [0, 1, 1],
      [0, 0.72],
    ],
  ],
  K: [
    [
      [0, 0],
      [0, 1],
    ],
    [
      [1, 0],
      [0, 0.62],
    ],
    [
      [0.3, 0.42],
      [1, 1],
    ],
  ],
  L: [
    [
      [0, 0],
      [0, 1],
      [1, 1],
    ],
  ],
  M: [
    [
      [0, 1],
      [0, 0],
      [0.5, 0.62],
      [1, 0],
      [1, 1],
    ],
  ],
  N: [
    [
      [0, 1],
      [0, 0],
      [1, 1],
      [1, 0],
    ],
  ],
  O: [box(0, 0, 1, 1)],
  P: [
    [
      [0, 1],
      [0, 0],
      [1, 0, 0.9],
      [1, 0.55, 0.9],
      [0, 0.55],
    ],
  ],
  Q: [
    box(0, 0, 1, 1),
    [
      [0.55, 0.72],
      [1, 1.02],
    ],
  ],
  R: [
    [
      [0, 1],
      [0, 0],
      [1, 0, 0.9],
      [1, 0.53, 0.9],
      [0, 0.53],
    ],
    [
      [0.45, 0.53],
      [1, 1],
    ],
  ],
  S: [
    [
      [1, 0.22],
      [1, 0, 1],
      [0, 0, 1],
      [0, kMiddle, 0.9],
      [1, 0.52, 0.9],
      [1, 1, 1],
      [0, 1, 1],
      [0, 0.78],
    ],
  ],
  T: [
    [
      [0, 0],
      [1, 0],
    ],
    [
      [0.5, 0],
      [0.5, 1],
    ],
  ],
  U: [
    [
      [0, 0],
      [0, 1, 1],
      [1, 1, 1],
      [1, 0],
    ],
  ],
  V: [
    [
      [0, 0],
      [0.47, 1],
      [0.53, 1],
      [1, 0],
    ],
  ],
  W: [
    [
      [0, 0],
      [0.22, 1],
      [0.5, 0.25],
      [0.78, 1],
      [1, 0],
    ],
  ],
  X: [
    [
      [0, 0],
      [1, 1],
    ],
    [
      [1, 0],
      [0, 1],
    ],
  ],
  Y: [
    [
      [0, 0],
      [0.5, 0.5],
      [1, 0],
    ],
    [
      [0.5, 0.5],
      [0.5, 1],
    ],
  ],
  Z: [
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ],
  ],
}

/** Width of a glyph as a share of the face's; 1 for a glyph that is not in the table. */
const kWidths: Readonly<Record<string, number>> = {
  1: 0.6,
  I: 0.3,
  J: 0.85,
  L: 0.88,
  E: 0.9,
  F: 0.9,
  M: 1.2,
  W: 1.3,
  T: 0.95,
  0: 0.92,
}

export const glyphWidth = (char: string): number => kWidths[char] ?? 1

/** A path as points, with corners rounded by at most `radius`; all in the unit of `scaleX` and `scaleY`. */
export function polyline(path: Path, scaleX: number, scaleY: number, radius: number): [number, number][] {
  const at = (corner: Corner): [number, number] => [corner[0] * scaleX, corner[1] * scaleY]
  const points = [at(path[0]!)]
  for (let i = 1; i < path.length - 1; i++) {
    const [a, b, c] = [at(path[i - 1]!), at(path[i]!), at(path[i + 1]!)]
    const la = Math.hypot(a[0] - b[0], a[1] - b[1])
    const lc = Math.hypot(c[0] - b[0], c[1] - b[1])
    const d = Math.min(radius * (path[i]![2] ?? 0), la / 2, lc / 2)
    if (d < 0.3) {
      points.push(b)
      continue
    }
    const p = [b[0] + ((a[0] - b[0]) * d) / la, b[1] + ((a[1] - b[1]) * d) / la]
    const q = [b[0] + ((c[0] - b[0]) * d) / lc, b[1] + ((c[1] - b[1]) * d) / lc]
    for (let k = 0; k <= 6; k++) {
      const t = k / 6
      points.push([0, 1].map((n) => (1 - t) ** 2 * p[n]! + 2 * t * (1 - t) * b[n]! + t * t * q[n]!) as [number, number])
    }
  }
  points.push(at(path.at(-1)!))
  return points
}
