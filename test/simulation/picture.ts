/** The "picture" of a simulated frame: JSON that says what is to be recognized in it. */
export interface Picture {
  /** Names the frame. */
  key: string
  detections: PictureDetection[]
  /** Time that recognition takes, ms. */
  ms: number
  isBroken: boolean
}

export interface PictureDetection {
  plate: string
  confidence: number
  /** Upper left corner and width of the plate, pixels. */
  x: number
  y: number
  width: number
}

export const pictureBytes = (picture: Picture): Buffer => Buffer.from(JSON.stringify(picture))

/** @throws when it is not a picture */
export const parsePicture = (bytes: Uint8Array): Picture => JSON.parse(Buffer.from(bytes).toString()) as Picture
