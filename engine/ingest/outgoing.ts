/** A picture on its way to the stream. */
export interface OutgoingPicture {
  camera: string
  /** ms since 1970, by which it is read. */
  capturedAt: number
  jpeg: Buffer
}
