import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { NatsConnection } from 'nats'
import { AlprError } from '../errors.js'
import { instanceNameSubject } from '../nats/topology.js'
import type { MemberKind } from './members.js'

/** How long the holder of a name may take to answer, ms. When nobody listens, the server answers at once. */
const kAnswerMs = 1_000

/**
 * The name of one engine at a time. Two engines with one name would both hold every lease and fence each other off
 * forever; so an engine asks before it starts whether its name is taken, and answers those that ask later.
 *
 * A dead engine answers nothing, so an engine that restarts does not wait. Two that start at the same instant do not
 * hear of each other here; they find out by their announcements (members.ts).
 */
export class InstanceName {
  /** Distinguishes this process from every other that ever ran. */
  readonly session = randomUUID()

  constructor(
    private readonly connection: NatsConnection,
    private readonly instance: string,
    private readonly kind: MemberKind = 'engine',
  ) {}

  /** @throws ALPR_ERR_INSTANCE_TAKEN */
  async claim(): Promise<void> {
    const other = await this.connection
      .request(instanceNameSubject(this.instance, this.kind), '', { timeout: kAnswerMs })
      .catch(() => undefined)
    if (other) throw nameTaken(this.instance, other.string(), this.kind)
  }

  /** Answers other engines until `signal` aborts: from then on the name is free. */
  answer(signal: AbortSignal): void {
    const subscription = this.connection.subscribe(instanceNameSubject(this.instance, this.kind), {
      callback: (error, message) => {
        if (!error) message.respond(`process ${process.pid} on ${hostname()}`)
      },
    })
    signal.addEventListener('abort', () => subscription.unsubscribe())
  }
}

export const nameTaken = (instance: string, holder: string, kind: MemberKind = 'engine'): AlprError =>
  kind === 'engine'
    ? new AlprError('ALPR_ERR_INSTANCE_TAKEN', { instance, holder })
    : new AlprError('ALPR_ERR_INGEST_TAKEN', { instance, holder })
