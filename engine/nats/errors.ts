import { ErrorCode } from 'nats'
import { logReasonOf, reasonOf } from '../errors.js'

/** JetStream's codes of refusals. */
const kWrongLastSequence = 10_071
const kMessageTooLarge = 10_054
export const kConsumerNotFound = 10_014
export const kMessageNotFound = 10_037
export const kStreamNotFound = 10_059

/** Whether JetStream refused with this error code (its own, of five digits). */
export const isApiError = (error: unknown, code: number): boolean =>
  (error as { api_error?: { err_code?: number } }).api_error?.err_code === code

/**
 * The server's "wrong last sequence", its refusal of a compare-and-set: the key was written since it was read, or a key
 * that is to be created exists.
 */
export const isWrongLastSequence = (error: unknown): boolean => isApiError(error, kWrongLastSequence)

/** Whether a message is larger than its stream, or the server, accepts. */
export const isTooLarge = (error: unknown): boolean =>
  isApiError(error, kMessageTooLarge) || (error as { code?: string }).code === ErrorCode.MaxPayloadExceeded

/** Whether the server refused the credentials of a connection. */
export const isAuthorization = (error: unknown): boolean =>
  [ErrorCode.AuthorizationViolation, ErrorCode.AuthenticationExpired, ErrorCode.BadAuthentication].includes(
    (error as { code?: ErrorCode }).code!,
  )

/** Whether the server did not answer in time: it may answer the next time. */
export const isNoAnswer = (error: unknown): boolean => (error as { code?: string }).code === ErrorCode.Timeout

/**
 * What happened, in words. The client's own messages are codes (`CONNECTION_REFUSED`, `503`); the words of a JetStream
 * refusal are in `api_error`.
 * @param other puts an error that is not the client's into words
 */
export function natsReason(error: unknown, other: (error: unknown) => string = reasonOf): string {
  const { code, api_error: api } = error as { code?: string; api_error?: { description?: string } }
  if (api?.description) return api.description
  if (code === ErrorCode.ConnectionRefused) return 'connection refused'
  if (isAuthorization(error)) return 'the server refuses our token or password'
  if (code === ErrorCode.ConnectionTimeout || code === ErrorCode.Timeout) return 'no answer'
  if (code === ErrorCode.NoResponders) return 'JetStream or the stream does not exist'
  return other(error)
}

/** `natsReason` for a log: of an error that is not the client's, its class. */
export const natsLogReason = (error: unknown): string => natsReason(error, logReasonOf)
