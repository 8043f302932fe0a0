/** Why a camera gives no pictures, in words that follow "camera gate-1:". Holds no address and no credentials. */
export class CameraError extends Error {
  /** The credentials are missing or wrong: trying often may lock the account of the camera. */
  readonly isLogin: boolean

  constructor(reason: string, { isLogin = false }: { isLogin?: boolean } = {}) {
    super(reason)
    this.name = 'CameraError'
    this.isLogin = isLogin
  }
}
