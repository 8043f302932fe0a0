import type { WatchedCameras } from '../cameras/camera_registry.js'
import { AlprError } from '../errors.js'
import type { Camera } from '../model/camera.js'
import type { CameraMessage } from '../model/capture.js'

/**
 * The camera that sent a message, as the registry has it now. A camera that was removed after the message arrived, or
 * just before, is what it was: its messages must not become dead letters because an engine was late.
 * @throws ALPR_ERR_CAMERA_UNKNOWN
 */
export async function cameraOf(
  { cameras, find }: Pick<WatchedCameras, 'cameras' | 'find'>,
  { camera: id, arrivedAt }: CameraMessage,
): Promise<Camera> {
  const camera = cameras.get(id) ?? (await find(id, arrivedAt))
  if (!camera) throw new AlprError('ALPR_ERR_CAMERA_UNKNOWN', { camera: id })
  return camera
}
