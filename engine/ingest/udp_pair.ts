import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { CameraError } from './camera_error.js'

/** Bytes that the system keeps of packets that are not read yet, where it allows so many. */
const RECEIVE_BYTES = 4_194_304
const ATTEMPTS = 40

/** Two ports side by side, as RTP wants them: the even one for pictures, the odd one for reports. */
export class UdpPair {
  private constructor(
    readonly port: number,
    readonly rtp: Socket,
    readonly rtcp: Socket,
  ) {}

  /** @param address of this machine on the way to the camera @throws CameraError when no pair is free */
  static async open(address: string): Promise<UdpPair> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const first = await bind(address, 0)
      const { port } = first.address()
      const second = await bind(address, port ^ 1).catch(() => undefined)
      if (second) {
        const [rtp, rtcp] = port % 2 === 0 ? [first, second] : [second, first]
        try {
          rtp.setRecvBufferSize(RECEIVE_BYTES)
        } catch {
          // The default of the system stays.
        }
        return new UdpPair(port & ~1, rtp, rtcp)
      }
      first.close()
    }
    throw new CameraError('this machine has no two free UDP ports side by side')
  }

  /** Opens the way back through a firewall of this side. */
  punch(host: string, rtpPort: number, rtcpPort: number): void {
    this.rtp.send(Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), rtpPort, host, () => {})
    this.rtcp.send(Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0]), rtcpPort, host, () => {})
  }

  close(): void {
    this.rtp.close()
    this.rtcp.close()
  }
}

function bind(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
