import type { Vehicle } from './traffic.js'
import { kFarthest, type View } from './view.js'

/**
 * How far away a car at the kerb stands, metres: as near as the picture still shows its plate whole, since that is
 * where somebody who sets up a camera wants it.
 */
export function parkingPlace(view: View, vehicle: Vehicle): number {
  for (let y = 6; y < kFarthest / 2; y += 0.25) {
    const corners = [-1, 1].flatMap((side) => [0.35, 1.05].map((up) => view.project([vehicle.x + side * 1.0, y, up])))
    if (corners.every((p) => p && p[0] > 0 && p[1] > 0 && p[0] < view.width && p[1] < view.height * 0.97))
      return y + 0.5
  }
  return kFarthest / 2
}
