import type { FollowedCameras } from '../frames/registry.js'

/** A camera may have been registered a moment before its first message: the bucket itself is asked. */
export async function cameraKnown(
  { cameras, refresh }: Pick<FollowedCameras, 'cameras' | 'refresh'>,
  camera: string,
): Promise<void> {
  if (!cameras.has(camera)) await refresh(camera)
}
