import type { WatchedCameras } from '../cameras/camera_registry.js'

/**
 * Asks the bucket for a camera that the registry does not know yet: it may have been registered just before its first
 * message.
 */
export async function loadCamera(
  { cameras, refresh }: Pick<WatchedCameras, 'cameras' | 'refresh'>,
  camera: string,
): Promise<void> {
  if (!cameras.has(camera)) await refresh(camera)
}
