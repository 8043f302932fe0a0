import { existsSync } from 'node:fs'
import { AlprError } from '../errors.js'

/**
 * The protocols that ffmpeg may use for an input of each scheme: what a playlist or a container names beyond them is
 * not opened. An input from the network never reaches a file, and a file never reaches the network.
 */
const PROTOCOLS: Record<string, string> = {
  http: 'http,https,tcp,tls,crypto',
  https: 'https,tcp,tls,crypto',
  rtsp: 'rtsp,rtp,udp,tcp',
  rtsps: 'rtsps,rtsp,rtp,srtp,udp,tcp,tls',
  rtmp: 'rtmp,tcp',
  rtmps: 'rtmps,tcp,tls',
  rtp: 'rtp,udp',
  udp: 'udp',
  tcp: 'tcp',
  srt: 'srt,udp',
}

/** An input of ffmpeg and ffprobe. */
export interface FfmpegInput {
  /** Whether it comes from the network. */
  isUrl: boolean
  /** Arguments that open it, without `-i`: options, then the name. */
  options: string[]
  name: string
}

/**
 * An input with the protocols that it needs. A name is a file unless it has a scheme; a file may have a colon in its
 * name, or begin with a dash.
 * @throws ALPR_ERR_FEED_INVALID for a scheme that is not read
 */
export function ffmpegInput(input: string): FfmpegInput {
  const scheme = existsSync(input) ? undefined : /^([a-z][a-z0-9+.-]*):\/\//i.exec(input)?.[1]?.toLowerCase()
  if (scheme === undefined)
    return { isUrl: false, options: ['-protocol_whitelist', 'file'], name: `file:${input.replace(/^file:/, '')}` }
  const protocols = PROTOCOLS[scheme]
  if (protocols === undefined)
    throw new AlprError('ALPR_ERR_FEED_INVALID', {
      file: withoutPassword(input),
      reason: `${scheme}: is not read; give a file or one of ${Object.keys(PROTOCOLS).join(', ')}`,
    })
  return { isUrl: true, options: ['-protocol_whitelist', protocols], name: input }
}

/** A text without the credentials of the addresses in it. */
export const withoutPassword = (text: string): string => text.replace(/:\/\/[^\s/@]*@/g, '://')
