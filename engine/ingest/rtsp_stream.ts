import { randomBytes } from 'node:crypto'
import type { AccessUnit, Depacketizer } from './access_unit.js'
import { Authorization, type Login } from './authorization.js'
import { CameraError } from './camera_error.js'
import { JpegDepacketizer } from './jpeg_depacketizer.js'
import { H264, H265, NalDepacketizer, parameterSets } from './nal_depacketizer.js'
import { parseRtp, parseSenderReport, receiverReport, ReorderBuffer, Unwrapper, type SenderReport } from './rtp.js'
import { RtspConnection } from './rtsp_connection.js'
import { parseSdp, type VideoTrack } from './sdp.js'
import { UdpPair } from './udp_pair.js'

export type RtspCodec = 'H264' | 'H265' | 'JPEG'

export interface RtspStreamOptions {
  url: URL
  login: Login | undefined
  transport: 'tcp' | 'udp'
  anyCertificate: boolean
  /** @param cameraMs when it was taken by the camera's clock, if the camera has said how its clocks relate */
  onUnit: (unit: AccessUnit, arrival: number, cameraMs: number | undefined) => void
  /** Packets that never came. */
  onLoss: () => void
}

/** A camera that sends nothing for so long is taken for dead, ms. */
const SILENCE_MS = 10_000
/** How often the camera hears that somebody listens, ms. */
const REPORT_MS = 5_000
const DEFAULT_SESSION_S = 60
/** Packets over UDP that may overtake one. */
const PATIENCE = 32

/** The video of a camera by RTSP: sets it up, keeps it alive, and puts its pictures together. */
export class RtspStream {
  readonly codec: RtspCodec
  readonly #options: RtspStreamOptions
  readonly #connection: RtspConnection
  readonly #track: VideoTrack
  readonly #depacketizer: Depacketizer
  readonly #reorder = new ReorderBuffer()
  readonly #clock = new Unwrapper()
  #report: SenderReport | undefined
  #heardAt = performance.now()

  private constructor(options: RtspStreamOptions, connection: RtspConnection, track: VideoTrack) {
    this.#options = options
    this.#connection = connection
    this.#track = track
    this.codec = track.codec as RtspCodec
    this.#depacketizer = depacketizerOf(track)!
  }

  /**
   * Plays the first video stream that the camera offers until `signal` aborts or the stream ends.
   * @param onPlaying called once the camera has agreed to send
   * @throws CameraError why it ended
   */
  static async play(
    options: RtspStreamOptions,
    onPlaying: (stream: RtspStream) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let stream: RtspStream | undefined
    let channels: (channel: number, bytes: Buffer) => void = () => {}
    const connection = await RtspConnection.open({
      url: options.url,
      authorization: new Authorization(options.login),
      anyCertificate: options.anyCertificate,
      onPacket: (channel, bytes) => channels(channel, bytes),
    })
    const stop = () => connection.close('stopped')
    signal.addEventListener('abort', stop, { once: true })
    let udp: UdpPair | undefined
    try {
      const { track, base } = await describe(connection, options.url)
      stream = new RtspStream(options, connection, track)
      const { onRtp, onRtcp } = stream
      channels = (channel, bytes) => (channel === 0 ? onRtp(bytes, 0) : channel === 1 && onRtcp(bytes))
      if (options.transport === 'udp') udp = await UdpPair.open(connection.localAddress)
      const timeoutS = await stream.#setUp(resolveControl(base, track.control), udp)
      await connection.request('PLAY', base, { Range: 'npt=0.000-' })
      onPlaying(stream)
      await stream.#keepAlive(base, timeoutS, udp)
      if (!signal.aborted) throw new CameraError(await connection.ended)
    } finally {
      signal.removeEventListener('abort', stop)
      udp?.close()
      connection.close()
    }
  }

  /** Asks the camera to send. @returns how long it waits for a sign of life, s */
  async #setUp(control: string, udp: UdpPair | undefined): Promise<number> {
    const connection = this.#connection
    const transport = udp
      ? `RTP/AVP;unicast;client_port=${udp.port}-${udp.port + 1}`
      : 'RTP/AVP/TCP;unicast;interleaved=0-1'
    const { headers } = await connection.request('SETUP', control, { Transport: transport })
    if (udp) {
      const isCamera = ({ address }: { address: string }) => address === connection.remoteAddress
      udp.rtp.on('message', (bytes, from) => isCamera(from) && this.onRtp(bytes, PATIENCE))
      udp.rtcp.on('message', (bytes, from) => isCamera(from) && this.onRtcp(bytes))
      const [, rtp, rtcp] = /server_port=(\d+)-(\d+)/.exec(headers.transport ?? '') ?? []
      if (rtp && rtcp) udp.punch(connection.remoteAddress, Number(rtp), Number(rtcp))
    } else if (!/interleaved=0-1/.test(headers.transport ?? 'interleaved=0-1'))
      throw new CameraError('it does not send over TCP; try "--transport udp"')
    const timeout = Number(/timeout=(\d+)/.exec(headers.session ?? '')?.[1])
    return timeout > 0 ? timeout : DEFAULT_SESSION_S
  }

  /** Resolves when the connection has ended. */
  async #keepAlive(uri: string, timeoutS: number, udp: UdpPair | undefined): Promise<void> {
    const connection = this.#connection
    const ssrc = randomBytes(4).readUInt32BE()
    this.#heardAt = performance.now()
    let asked = performance.now()
    const tick = () => {
      const now = performance.now()
      if (now - this.#heardAt > SILENCE_MS) {
        const advice = udp ? '; a firewall may keep UDP out: try "--transport tcp"' : ''
        connection.close(`it has sent no picture for ${SILENCE_MS / 1_000} s${advice}`)
      }
      if (!udp) connection.sendPacket(1, receiverReport(ssrc))
      // An answer that does not come does not matter, as long as pictures do.
      if (now - asked > Math.min(timeoutS * 400, 30_000)) {
        asked = now
        connection.tell('GET_PARAMETER', uri)
      }
    }
    const timer = setInterval(tick, Math.min(REPORT_MS, timeoutS * 300))
    await connection.ended
    clearInterval(timer)
  }

  readonly onRtp = (bytes: Buffer, patience: number): void => {
    const arrival = Date.now()
    const packet = parseRtp(bytes)
    if (!packet || packet.payloadType !== this.#track.payloadType) return
    this.#heardAt = performance.now()
    // The memory of a packet is used again where packets wait.
    const kept = patience > 0 ? { ...packet, payload: Buffer.from(packet.payload) } : packet
    for (const { packet: next, isAfterLoss } of this.#reorder.push(kept, patience)) {
      if (isAfterLoss) this.#options.onLoss()
      for (const { timestamp, ...unit } of this.#depacketizer.push(next, isAfterLoss)) {
        const ticks = this.#clock.next(timestamp)
        const { clockRate } = this.#track
        this.#options.onUnit({ ...unit, streamMs: (ticks * 1_000) / clockRate }, arrival, this.#cameraMs(ticks))
      }
    }
  }

  readonly onRtcp = (bytes: Buffer): void => {
    this.#report = parseSenderReport(bytes) ?? this.#report
  }

  #cameraMs(ticks: number): number | undefined {
    if (!this.#report) return undefined
    const since = ticks - this.#clock.near(this.#report.timestamp)
    return this.#report.ntpMs + (since * 1_000) / this.#track.clockRate
  }
}

/** @throws CameraError when the camera offers no video that can be read */
async function describe(connection: RtspConnection, url: URL): Promise<{ track: VideoTrack; base: string }> {
  const uri = plainUri(url)
  const answer = await connection.request('DESCRIBE', uri, { Accept: 'application/sdp' })
  if (answer.status >= 300)
    throw new CameraError('it sends to another address (redirect): give the address that it names')
  const tracks = parseSdp(answer.body)
  const track = tracks.find((one) => depacketizerOf(one) !== undefined)
  if (!track) {
    const codecs = tracks.map(({ codec }) => codec || 'unknown').join(', ')
    throw new CameraError(
      tracks.length === 0
        ? 'its stream has no video'
        : `its video is ${codecs.replace(/[^\w, -]/g, '?')}; H264, H265 and JPEG are known: change its settings`,
    )
  }
  const base = answer.headers['content-base'] || answer.headers['content-location'] || uri
  return { track, base: plainUri(new URL(base, uri)) }
}

function depacketizerOf({ codec, format }: VideoTrack): Depacketizer | undefined {
  if (codec === 'H264') return new NalDepacketizer(H264, parameterSets(format))
  if (codec === 'H265') return new NalDepacketizer(H265, parameterSets(format))
  return codec === 'JPEG' ? new JpegDepacketizer() : undefined
}

/** The address of a request: cameras get no credentials in it. */
function plainUri(url: URL): string {
  const plain = new URL(url)
  plain.username = plain.password = ''
  return plain.href
}

function resolveControl(base: string, control: string): string {
  if (control === '' || control === '*') return base
  if (/^rtsps?:\/\//i.test(control)) return control
  return base.endsWith('/') || control.startsWith('/') ? `${base}${control}` : `${base}/${control}`
}
