import type { Vehicle } from './traffic.js'
import { kFarthest, type View } from './view.js'

/**
 * Distance of a car at the kerb, metres: as near as possible with the whole plate in the picture, where an installer
 * would want it.
 */
export function parkingPlace(view: View, vehicle: Vehicle): number {
  for (let y = 6; y < kFarthest / 2; y += 0.25) {
    const corners = [-1, 1].flatMap((side) => [0.35, 1.05].map((up) => view.project([vehicle.x + side * 1.0, y, up])))
    if (corners.every((p) => p && p[0] > 0 && p[1] > 0 && p[0] < view.width && p[1] < view.height * 0.97))
      return y + 0.5
  }
  return kFarthest / 2
}
