/** A video stream as a camera describes it (SDP). */
export interface VideoTrack {
  /** Upper case: `H264`, `H265`, `JPEG` ... */
  codec: string
  payloadType: number
  /** Ticks of its timestamps a second. */
  clockRate: number
  /** Of the attribute `fmtp`, names in lower case. */
  format: Record<string, string>
  /** Address to set it up, relative or absolute; `*` or empty: that of the session. */
  control: string
}

/** Payload types that need no description (RFC 3551). */
const STATIC: Record<number, string> = { 26: 'JPEG/90000', 32: 'MPV/90000' }

/** The video streams of a description, in its order. */
export function parseSdp(text: string): VideoTrack[] {
  const tracks: VideoTrack[] = []
  let control = ''
  let track: (VideoTrack & { isVideo: boolean }) | undefined
  for (const line of text.split(/\r\n|\n|\r/)) {
    const media = /^m=(\S+)\s+\d+(?:\/\d+)?\s+\S+\s+(\d+)/.exec(line)
    if (media) {
      const payloadType = Number(media[2])
      const [codec = '', rate] = (STATIC[payloadType] ?? '').split('/')
      const isVideo = media[1] === 'video'
      track = { codec, payloadType, clockRate: Number(rate ?? 90_000), format: {}, control: '', isVideo }
      if (isVideo) tracks.push(track)
      continue
    }
    const [, name, value = ''] = /^a=([^:]+)(?::(.*))?$/.exec(line) ?? []
    if (name === 'control') {
      if (track) track.control = value.trim()
      else control = value.trim()
    } else if (track && name === 'rtpmap') readMap(track, value)
    else if (track && name === 'fmtp') readFormat(track, value)
  }
  return tracks.map(({ codec, payloadType, clockRate, format, control: own }) => ({
    ...{ codec, payloadType, clockRate, format },
    control: own || control,
  }))
}

function readMap(track: VideoTrack, value: string): void {
  const [, type, codec, rate] = /^(\d+)\s+([^/\s]+)\/(\d+)/.exec(value) ?? []
  if (Number(type) !== track.payloadType || !codec) return
  track.codec = codec.toUpperCase()
  if (Number(rate) > 0) track.clockRate = Number(rate)
}

function readFormat(track: VideoTrack, value: string): void {
  const [, type, rest = ''] = /^(\d+)\s+(.*)$/.exec(value) ?? []
  if (Number(type) !== track.payloadType) return
  for (const part of rest.split(';')) {
    const at = part.indexOf('=')
    if (at > 0) track.format[part.slice(0, at).trim().toLowerCase()] = part.slice(at + 1).trim()
  }
}
