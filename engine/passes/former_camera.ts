import type { Camera } from '../model/camera.js'
import type { OpenPass } from './pass.js'

/** A camera that left the registry while a vehicle was in view: what its last pass says about it. */
export const formerCamera = (id: string, { state: { first } }: OpenPass): Camera => ({
  id,
  name: id,
  kind: 'fixed',
  lat: first.lat,
  lon: first.lon,
  agency: '',
})
