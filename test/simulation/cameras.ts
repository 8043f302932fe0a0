import { ErrorCode, headers, type NatsConnection } from 'nats'
import { connectNats } from '../../engine/nats/connect.js'
import { sleep } from '../../engine/runtime/backoff.js'
import { Process } from './clock.js'
import type { CameraMessage, CameraPlan } from './traffic.js'
import type { World } from './world.js'

/** How long a camera waits for an acknowledgement before it sends a message again, ms. */
const ACK_MS = 4_000

/** A camera that is refused this often gives a message up: it got no answer that says that it is kept. */
const MOST_REFUSALS = 40

/** The cameras: each sends its messages in order, each until it is acknowledged, under one message id. */
export class Cameras {
  readonly process = new Process('cameras')
  /** Share of the messages that are sent again although they were acknowledged, and how long after it, ms. */
  sentAgain = { share: 0, afterMs: 300 }
  /** Cameras whose subjects have a token more. */
  readonly deep = new Set<string>()
  private connection: NatsConnection | undefined
  private busy = 0

  constructor(private readonly world: World) {}

  /** Whether every message that was to be sent is acknowledged. */
  get isDone(): boolean {
    return this.busy === 0
  }

  start(plans: readonly CameraPlan[]): void {
    this.busy++
    this.world.clock.schedule(
      0,
      () => {
        void this.connect().then(() => {
          for (const { messages } of plans) this.send(messages)
          this.busy--
        })
      },
      this.process,
    )
  }

  /** Sends more messages of one camera. */
  send(messages: readonly CameraMessage[]): void {
    this.busy++
    this.world.clock.schedule(0, () => void this.run(messages), this.process)
  }

  private async connect(): Promise<void> {
    this.connection = await connectNats({ url: 'nats://127.0.0.1:4222', name: 'cameras', waitOnFirstConnect: true })
  }

  private async run(messages: readonly CameraMessage[]): Promise<void> {
    const { clock, oracle, trace, random } = this.world
    const inOrder = [...messages].sort((a, b) => (a.sentAt ?? a.at) - (b.sentAt ?? b.at))
    for (const message of inOrder) {
      await sleep((message.sentAt ?? message.at) - clock.now)
      const capturedAt = new Date(clock.wall(this.process) - Math.max(0, clock.now - message.at)).toISOString()
      const payload = message.payload(capturedAt)
      oracle.expect(message, payload)
      const sendOnce = () => this.publish(message, payload, capturedAt)
      for (let isAcknowledged = false, refusals = 0; !isAcknowledged && refusals < MOST_REFUSALS; ) {
        try {
          const { stream, seq, duplicate } = await sendOnce()
          trace.note('cameras', `${message.id} is ${stream} ${seq}${duplicate ? ', again' : ''}`)
          oracle.acknowledged(message)
          isAcknowledged = true
        } catch (error) {
          trace.note('cameras', `${message.id} is not acknowledged: ${(error as Error).message}`)
          if (/maximum bytes/.test((error as Error).message)) oracle.refusedByFull(message)
          if ((error as { code?: string }).code !== ErrorCode.Timeout) refusals++
          await sleep(random.faults.between(100, 700))
        }
      }
      if (random.faults.chance(this.sentAgain.share)) this.sendLater(sendOnce)
    }
    this.busy--
  }

  /** Sends a message that is acknowledged once more. */
  private sendLater(send: () => Promise<unknown>): void {
    this.busy++
    void sleep(this.sentAgain.afterMs * this.world.random.faults.between(0.2, 1))
      .then(send)
      .catch(() => {})
      .finally(() => this.busy--)
  }

  private publish(message: CameraMessage, payload: Buffer, capturedAt: string) {
    const header = headers()
    header.set('Captured-At', capturedAt)
    return this.connection!.jetstream().publish(this.subjectOf(message), payload, {
      msgID: message.id,
      headers: header,
      timeout: ACK_MS,
    })
  }

  private subjectOf({ entrance, camera }: CameraMessage): string {
    return this.deep.has(camera) ? `${entrance}.gate.${camera}` : `${entrance}.${camera}`
  }
}
