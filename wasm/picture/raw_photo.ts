/** Tag of a TIFF directory: what its picture is for; bit 0 marks a reduced one. */
const NEW_SUBFILE_TYPE = 0x00fe
/** Tag that only DNG has. */
const DNG_VERSION = 0xc612

/** Whether a TIFF is a raw photo: its first picture is only a preview, often of 160 pixels. */
export function isRawPreview(tiff: Uint8Array): boolean {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  if (tiff.length < 8) return false
  const little = tiff[0] === 0x49
  if (view.getUint16(2, little) !== 42) return false
  const directory = view.getUint32(4, little)
  if (directory + 2 > tiff.length) return false
  const entries = view.getUint16(directory, little)
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i
    if (at + 12 > tiff.length) return false
    const tag = view.getUint16(at, little)
    if (tag === DNG_VERSION) return true
    if (tag === NEW_SUBFILE_TYPE && (view.getUint32(at + 8, little) & 1) === 1) return true
  }
  return false
}
