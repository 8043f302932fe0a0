import type { MsgHdrs } from 'nats'
import { reasonOf } from '../errors.js'

/** Headers of a message, or why they cannot be read. */
export interface ReadHeaders {
  headers?: MsgHdrs
  fault?: string
}

/**
 * Reads the headers of a message. The server stores names with spaces and values with line feeds, which the client
 * refuses to decode: such a message must not stop those who read the stream.
 * @param get the client's getter, which throws
 */
export function readHeaders(get: () => MsgHdrs | undefined): ReadHeaders {
  try {
    return { headers: get() }
  } catch (error) {
    return { fault: reasonOf(error) }
  }
}
