/**
 * Families of bodies, seen from one end, in metres. `profile` goes from below the bumper to the end of the roof, as
 * [into the vehicle, up]; each step is a surface, which `parts` names.
 */
export interface End {
  profile: readonly (readonly [into: number, up: number])[]
  /** The surface between points i and i + 1. */
  parts: readonly ('skirt' | 'body' | 'glass' | 'roof')[]
  /** Height of the plate's centre, metres. */
  plate: number
  /** Lower and upper edge of the lamps, and their width from the side inwards. */
  lamps: readonly [low: number, high: number, wide: number]
}

export interface Shape {
  width: number
  length: number
  /** Height in metres above which the sides lean inwards, to `roof` of the width. */
  belt: number
  roof: number
  rear: End
  front: End
}

export type ShapeName = 'sedan' | 'hatch' | 'suv' | 'pickup' | 'van'

export const kShapes: Readonly<Record<ShapeName, Shape>> = {
  sedan: {
    width: 1.82,
    length: 4.7,
    belt: 0.98,
    roof: 0.74,
    rear: {
      profile: [
        [0.12, 0.24],
        [0.02, 0.34],
        [0, 0.6],
        [0.03, 0.96],
        [0.1, 1.02],
        [0.55, 1.05],
        [1.25, 1.4],
        [1.5, 1.45],
        [2.9, 1.45],
      ],
      parts: ['skirt', 'body', 'body', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.76,
      lamps: [0.7, 0.88, 0.4],
    },
    front: {
      profile: [
        [0.14, 0.2],
        [0.02, 0.32],
        [0, 0.58],
        [0.1, 0.74],
        [0.35, 0.82],
        [1.2, 0.98],
        [2.0, 1.4],
        [2.2, 1.45],
        [3.3, 1.45],
      ],
      parts: ['skirt', 'body', 'body', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.46,
      lamps: [0.6, 0.74, 0.4],
    },
  },
  hatch: {
    width: 1.77,
    length: 4.1,
    belt: 0.98,
    roof: 0.76,
    rear: {
      profile: [
        [0.12, 0.24],
        [0.02, 0.34],
        [0, 0.58],
        [0.03, 0.98],
        [0.38, 1.4],
        [0.55, 1.48],
        [2.6, 1.49],
      ],
      parts: ['skirt', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.72,
      lamps: [0.78, 0.98, 0.3],
    },
    front: {
      profile: [
        [0.14, 0.2],
        [0.02, 0.32],
        [0, 0.58],
        [0.1, 0.76],
        [0.3, 0.84],
        [0.95, 0.99],
        [1.7, 1.42],
        [1.9, 1.49],
        [3.1, 1.49],
      ],
      parts: ['skirt', 'body', 'body', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.46,
      lamps: [0.6, 0.76, 0.38],
    },
  },
  suv: {
    width: 1.92,
    length: 4.7,
    belt: 1.12,
    roof: 0.78,
    rear: {
      profile: [
        [0.12, 0.32],
        [0.02, 0.42],
        [0, 0.68],
        [0.03, 1.12],
        [0.26, 1.6],
        [0.4, 1.7],
        [3.0, 1.72],
      ],
      parts: ['skirt', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.86,
      lamps: [0.86, 1.1, 0.26],
    },
    front: {
      profile: [
        [0.14, 0.28],
        [0.02, 0.4],
        [0, 0.72],
        [0.06, 0.94],
        [0.25, 1.02],
        [1.15, 1.13],
        [1.8, 1.62],
        [2.0, 1.7],
        [3.4, 1.72],
      ],
      parts: ['skirt', 'body', 'body', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.58,
      lamps: [0.74, 0.9, 0.4],
    },
  },
  pickup: {
    width: 1.98,
    length: 5.4,
    belt: 1.14,
    roof: 0.78,
    rear: {
      profile: [
        [0.2, 0.4],
        [0.04, 0.5],
        [0, 0.66],
        [0.1, 0.7],
        [0.12, 1.14],
        [1.55, 1.14],
        [1.7, 1.66],
        [1.85, 1.76],
        [3.3, 1.77],
      ],
      parts: ['skirt', 'body', 'skirt', 'body', 'skirt', 'glass', 'roof', 'roof'],
      plate: 0.585,
      lamps: [0.72, 1.08, 0.2],
    },
    front: {
      profile: [
        [0.14, 0.36],
        [0.02, 0.46],
        [0, 0.8],
        [0.04, 1.06],
        [0.25, 1.12],
        [1.3, 1.2],
        [1.9, 1.66],
        [2.1, 1.76],
        [3.4, 1.77],
      ],
      parts: ['skirt', 'body', 'body', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.62,
      lamps: [0.82, 1.02, 0.36],
    },
  },
  van: {
    width: 1.98,
    length: 5.2,
    belt: 1.2,
    roof: 0.86,
    rear: {
      profile: [
        [0.12, 0.32],
        [0.02, 0.42],
        [0, 0.62],
        [0.02, 1.2],
        [0.1, 1.82],
        [0.2, 1.98],
        [4.4, 2.0],
      ],
      parts: ['skirt', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.86,
      lamps: [0.8, 1.16, 0.18],
    },
    front: {
      profile: [
        [0.14, 0.26],
        [0.02, 0.38],
        [0, 0.7],
        [0.08, 0.96],
        [0.25, 1.06],
        [0.7, 1.2],
        [1.45, 1.86],
        [1.65, 1.98],
        [4.4, 2.0],
      ],
      parts: ['skirt', 'body', 'body', 'body', 'body', 'glass', 'roof', 'roof'],
      plate: 0.54,
      lamps: [0.74, 0.96, 0.34],
    },
  },
}

/** Half the width of a shape at a height, metres: the body narrows a little at its foot, the cabin leans in. */
export function halfWidth(shape: Shape, up: number, top: number): number {
  const half = shape.width / 2
  if (up <= shape.belt) return half * (0.965 + 0.035 * Math.min(1, Math.max(0, (up - 0.3) / 0.4)))
  return half * (1 - (1 - shape.roof) * ((up - shape.belt) / Math.max(0.01, top - shape.belt)) ** 0.9)
}
