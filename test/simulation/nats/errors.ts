/** A refusal of JetStream, with the codes of nats-server. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly errCode: number,
    readonly description: string,
  ) {
    super(description)
  }

  toJSON(): object {
    return { code: this.code, err_code: this.errCode, description: this.description }
  }
}
