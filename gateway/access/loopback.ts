import type { IncomingMessage } from 'node:http'

/** Whether a request comes from this machine itself. A request that a proxy forwards never does. */
export function isLoopback({ socket, headers }: IncomingMessage): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false
  return isLoopbackAddress(socket.remoteAddress ?? '')
}

/** Whether an address, or a host name to listen on, is this machine only. */
export function isLoopbackAddress(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}
