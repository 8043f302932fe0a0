import type { IncomingMessage } from 'node:http'

/** Whether a request comes from this machine itself. One that a proxy passed on does not, wherever the proxy stands. */
export function isLoopback({ socket, headers }: IncomingMessage): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined) return false
  return isLoopbackAddress(socket.remoteAddress ?? '')
}

/** Of an address or a host name to listen on. */
export function isLoopbackAddress(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address)
}
