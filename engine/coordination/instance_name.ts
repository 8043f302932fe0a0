import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { NatsConnection } from 'nats'
import { AlprError } from '../errors.js'
import { identitySubject } from '../nats/topology.js'

/** How long whoever has a name already may take to say so, ms. When nobody listens, the server says so at once. */
const kAnswerMs = 1_000

/**
 * A name stands for one engine at a time. Two under one name would both have every lease, and fence each other off for
 * ever; so an engine asks before it starts whether somebody goes by its name, and answers those who come later.
 *
 * An engine that died answers nothing, so one that restarts does not wait. Two that start in the same moment hear
 * nothing of each other here; they find out by what they announce (members.ts).
 */
export class InstanceName {
  /** Tells this process from every other that was ever started. */
  readonly session = randomUUID()

  constructor(
    private readonly connection: NatsConnection,
    private readonly instance: string,
  ) {}

  /** @throws ALPR_ERR_INSTANCE_TAKEN */
  async claim(): Promise<void> {
    const other = await this.connection
      .request(identitySubject(this.instance), '', { timeout: kAnswerMs })
      .catch(() => undefined)
    if (other) throw taken(this.instance, other.string())
  }

  /** Answers those who ask, until `signal` aborts: from then on the name is free. */
  answer(signal: AbortSignal): void {
    const asked = this.connection.subscribe(identitySubject(this.instance), {
      callback: (error, message) => {
        if (!error) message.respond(`process ${process.pid} on ${hostname()}`)
      },
    })
    signal.addEventListener('abort', () => asked.unsubscribe())
  }
}

export const taken = (instance: string, holder: string): AlprError =>
  new AlprError('ALPR_ERR_INSTANCE_TAKEN', { instance, holder })
