/** How a vehicle moves relative to the camera. */
export const DIRECTION: Record<string, string> = {
  approaching: 'towards the camera',
  leaving: 'away from the camera',
  still: 'stationary',
}

/** `north-east`, from degrees clockwise from north. */
export function compass(degrees: number): string {
  const names = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west']
  return names[Math.round((((degrees % 360) + 360) % 360) / 45) % 8]!
}
