import type { WatchedCameras } from '../cameras/camera_registry.js'

/** A camera may have been registered a moment before its first message: the bucket itself is asked. */
export async function loadCamera(
  { cameras, refresh }: Pick<WatchedCameras, 'cameras' | 'refresh'>,
  camera: string,
): Promise<void> {
  if (!cameras.has(camera)) await refresh(camera)
}
