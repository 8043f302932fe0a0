import type { JetStreamClient, KV } from 'nats'
import { AlprError } from '../errors.js'
import { BUCKET } from '../nats/topology.js'
import { parseStandingPartial, PARTIAL_ID, type StandingPartial } from './standing_partial.js'

/** Standing partials in force at a time: each read of each vehicle is matched against all of them. */
export const MAX_STANDING_PARTIALS = 200

/**
 * Adds or replaces a standing partial; engines follow within a moment. One that ended stays in the bucket until it is
 * removed, so that it can be looked up.
 * @throws ALPR_ERR_PARTIAL_INVALID, ALPR_ERR_PATTERN_...
 */
export async function saveStandingPartial(client: JetStreamClient, value: StandingPartial): Promise<StandingPartial> {
  const partial = parseStandingPartial(value)
  const bucket = await openBucket(client)
  const others = (await readAll(bucket)).filter(({ id, until }) => id !== partial.id && until > Date.now())
  if (others.length >= MAX_STANDING_PARTIALS)
    throw new AlprError('ALPR_ERR_PARTIAL_INVALID', {
      partial: partial.id,
      reason: `${MAX_STANDING_PARTIALS} standing partials are in force already`,
    })
  await bucket.put(partial.id, JSON.stringify(partial))
  return partial
}

/** All standing partials by id, ended ones included; records that are not valid are left out. */
export async function listStandingPartials(client: JetStreamClient): Promise<StandingPartial[]> {
  return readAll(await openBucket(client))
}

/** @throws ALPR_ERR_PARTIAL_UNKNOWN */
export async function removeStandingPartial(client: JetStreamClient, id: string): Promise<void> {
  const bucket = await openBucket(client)
  if (!PARTIAL_ID.test(id) || (await bucket.get(id))?.operation !== 'PUT')
    throw new AlprError('ALPR_ERR_PARTIAL_UNKNOWN', { partial: id })
  await bucket.delete(id)
}

const openBucket = (client: JetStreamClient): Promise<KV> => client.views.kv(BUCKET.partials, { bindOnly: true })

async function readAll(bucket: KV): Promise<StandingPartial[]> {
  const ids: string[] = []
  for await (const id of await bucket.keys()) ids.push(id)
  const partials: StandingPartial[] = []
  for (const id of ids.sort()) {
    const entry = await bucket.get(id)
    if (entry?.operation !== 'PUT') continue
    try {
      partials.push(parseStandingPartial(entry.json()))
    } catch {
      /* a record that is not valid is not in force either */
    }
  }
  return partials
}
