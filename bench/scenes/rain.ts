import type { Light } from './light.js'
import type { RenderCamera } from './plan.js'
import type { Picture } from './raster.js'
import type { RandomStream } from './random.js'

/** Streaks in a 1280x720 frame of a cloudburst. */
const kStreaks = 1_500

/** Rain in front of the lens: a haze that lowers contrast, and streaks that are bright against the road. */
export function drawRain(picture: Picture, camera: RenderCamera, light: Light, random: RandomStream): void {
  const { rgb, width, height, film } = picture
  const air = (light.sky[1] * 0.9 + light.street * 0.35 + light.flash * 0.12) * 0.55
  const haze = 0.16 * camera.rain
  const veil = Uint8Array.from({ length: 256 }, (_, byte) => film.byte(film.linear[byte]! * (1 - haze) + air * haze))
  for (let i = 0; i < rgb.length; i++) rgb[i] = veil[rgb[i]!]!
  const count = Math.round(kStreaks * camera.rain * ((width * height) / 921_600))
  const lean = random.between(-0.12, 0.12)
  for (let i = 0; i < count; i++) {
    // A drop near the lens is long, wide and faint.
    const near = random.next() ** 3
    const long = 6 + 40 * near * (0.4 + camera.shutter * 400)
    const [u, v] = [random.between(0, width), random.between(-40, height)]
    const strength = (0.16 + 0.2 * random.next()) * (1 - 0.6 * near)
    for (let k = 0; k < long; k++) {
      const x = Math.floor(u + lean * k)
      const y = Math.floor(v + k)
      if (x < 0 || x >= width || y < 0 || y >= height) continue
      const share = strength * Math.sin((Math.PI * (k + 0.5)) / long)
      const at = (y * width + x) * 3
      for (let c = 0; c < 3; c++) rgb[at + c] = film.byte(film.linear[rgb[at + c]!]! * (1 - share) + air * 2.6 * share)
    }
  }
}
