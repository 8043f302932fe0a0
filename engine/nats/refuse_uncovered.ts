import type { NatsConnection } from 'nats'
import { EXPECTED_STREAM } from './mapping_probe.js'
import { readHeaders } from './read_headers.js'
import { ENTRANCES } from './topology.js'

/** Shown to the publisher as the error of its acknowledgement. */
const kCode = 400
const kErrorCode = 10_999

/**
 * Answers publishers whose subjects belong to no stream with an error that says why. nats-server alone says "no
 * responders", and only to publishers that wait for an acknowledgement.
 * @param onRefused called for each message
 */
export function refuseUncovered(connection: NatsConnection, onRefused: (subject: string) => void): { stop(): void } {
  const subscriptions = ENTRANCES.flatMap(({ root }) =>
    // `<root>.<camera>` is mapped by the server; `<root>.<count>.<partition>.<camera>` is a stream's.
    [`${root}.*.*`, `${root}.*.*.*.*`, `${root}.*.*.*.*.>`].map((subject) =>
      connection.subscribe(subject, {
        callback: (error, message) => {
          if (error || readHeaders(() => message.headers).headers?.has(EXPECTED_STREAM)) return
          onRefused(message.subject)
          message.respond(JSON.stringify(refusal(root, message.subject)))
        },
      }),
    ),
  )
  return { stop: () => subscriptions.forEach((subscription) => subscription.unsubscribe()) }
}

const refusal = (root: string, subject: string) => ({
  error: {
    code: kCode,
    err_code: kErrorCode,
    description: `no stream takes ${subject}: publish to ${root}.<camera>, and the id of a camera has no dots`,
  },
})
