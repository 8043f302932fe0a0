import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  headers,
  nanos,
  StorageType,
  type ConsumerConfig,
  type JsMsg,
  type NatsConnection,
  type StreamConfig,
} from 'nats'

/** Calls of the client and what came of them, without times and other values that differ each time. */
export type Answers = [step: string, answer: unknown][]

interface Context {
  connection: NatsConnection
  /** Waits, in the time of the server. */
  sleep(ms: number): Promise<void>
  note(step: string, answer: unknown): void
}

/**
 * What the engine asks of NATS, and the refusals that it relies on: run against the simulated server and against real
 * ones, the answers must be the same. The server maps `frames.*` to four partitions.
 */
export async function runScript(connection: NatsConnection, sleep: (ms: number) => Promise<void>): Promise<Answers> {
  const answers: Answers = []
  let where = ''
  const note = (step: string, answer: unknown) => answers.push([`${answers.length} ${where}: ${step}`, plain(answer)])
  const context = { connection, sleep, note }
  for (const part of [
    streams,
    publishing,
    bounds,
    windows,
    messages,
    purges,
    pulls,
    positions,
    pushes,
    buckets,
    objects,
    core,
  ]) {
    where = part.name
    await part(context)
  }
  return answers
}

/** Notes the result, or how it was refused. */
async function attempt({ note }: Context, step: string, work: () => Promise<unknown>): Promise<void> {
  try {
    note(step, await work())
  } catch (error) {
    const { code, api_error: api, message } = error as { code?: string; api_error?: object; message: string }
    note(step, { refused: api ?? { code, message } })
  }
}

const stream = (name: string, more: Partial<StreamConfig> = {}): Partial<StreamConfig> & { name: string } => ({
  name,
  subjects: [`${name.toLowerCase()}.>`],
  storage: StorageType.File,
  allow_direct: true,
  ...more,
})

async function streams(context: Context): Promise<void> {
  const manager = await context.connection.jetstreamManager()
  await attempt(context, 'info of no stream', () => manager.streams.info('NONE'))
  await attempt(context, 'add', () => manager.streams.add(stream('ONE')))
  await attempt(context, 'add the same', () => manager.streams.add(stream('ONE')))
  await attempt(context, 'add another of the name', () => manager.streams.add(stream('ONE', { max_msgs: 5 })))
  await attempt(context, 'add with the same subjects', () =>
    manager.streams.add({ ...stream('TWO'), subjects: ['one.>'] }),
  )
  await attempt(context, 'update', () => manager.streams.update('ONE', { max_msgs_per_subject: 3 }))
  await attempt(context, 'window longer than age', () =>
    manager.streams.update('ONE', { max_age: nanos(1_000), duplicate_window: nanos(5_000) }),
  )
  await attempt(context, 'info', () => manager.streams.info('ONE'))
  await attempt(context, 'delete', () => manager.streams.delete('ONE'))
  await attempt(context, 'delete again', () => manager.streams.delete('ONE'))
}

async function publishing(context: Context): Promise<void> {
  const { connection } = context
  const client = connection.jetstream()
  const manager = await connection.jetstreamManager()
  await manager.streams.add(stream('PUB'))
  const publish = (subject: string, options = {}) => client.publish(subject, 'text', { timeout: 2_000, ...options })
  await attempt(context, 'publish', () => publish('pub.a'))
  await attempt(context, 'with an id', () => publish('pub.a', { msgID: 'x' }))
  await attempt(context, 'with the id again', () => publish('pub.b', { msgID: 'x' }))
  await attempt(context, 'nobody there', () => publish('nobody.a'))
  await attempt(context, 'expected stream', () => publish('pub.a', { expect: { streamName: 'OTHER' } }))
  await attempt(context, 'expected last', () => publish('pub.a', { expect: { lastSequence: 1 } }))
  await attempt(context, 'expected last of subject', () => publish('pub.a', { expect: { lastSubjectSequence: 1 } }))
  await attempt(context, 'expected last of subject, right', () =>
    publish('pub.a', { expect: { lastSubjectSequence: 2 } }),
  )
  await attempt(context, 'expected last of new subject', () => publish('pub.c', { expect: { lastSubjectSequence: 0 } }))
  const raw = await connection.request('pub.d', 'core request', { timeout: 2_000 })
  context.note('core request', JSON.parse(raw.string()))
  await attempt(context, 'info after publishing', () => manager.streams.info('PUB'))
  await attempt(context, 'subjects', () => manager.streams.info('PUB', { subjects_filter: 'pub.>' }))
  await manager.streams.add({ ...stream('FRAMES'), subjects: ['frames.>'] })
  for (const camera of ['a', 'cam-1', 'cam-2', 'gate-17', 'x']) await publish(`frames.${camera}`)
  await publish('frames.gate.1')
  await attempt(context, 'mapped subjects', () => manager.streams.info('FRAMES', { subjects_filter: 'frames.>' }))
}

async function bounds(context: Context): Promise<void> {
  const { connection } = context
  const client = connection.jetstream()
  const manager = await connection.jetstreamManager()
  const state = (name: string) =>
    attempt(context, `state of ${name}`, async () => (await manager.streams.info(name)).state)
  for (const discard of [DiscardPolicy.New, DiscardPolicy.Old]) {
    const name = discard === DiscardPolicy.New ? 'FULL' : 'ROLLING'
    const subject = `${name.toLowerCase()}.a`
    await manager.streams.add(stream(name, { discard, max_bytes: 300, max_msg_size: 200 }))
    for (let i = 0; i < 6; i++) await attempt(context, `${name} ${i}`, () => client.publish(subject, 'x'.repeat(40)))
    await attempt(context, `${name} too large`, () => client.publish(subject, 'x'.repeat(250)))
    await state(name)
    await attempt(context, `${name} lowered`, () => manager.streams.update(name, { max_bytes: 150 }))
    await state(name)
  }
  await manager.streams.add(stream('FEW', { max_msgs: 2, discard: DiscardPolicy.New }))
  for (let i = 0; i < 3; i++) await attempt(context, `few ${i}`, () => client.publish('few.a', 'x'))
  await manager.streams.add(stream('LATEST', { max_msgs_per_subject: 1, discard: DiscardPolicy.New }))
  for (let i = 0; i < 3; i++) await attempt(context, `latest ${i}`, () => client.publish('latest.a', 'x'))
  await state('LATEST')
}

/** What expires: message ids and messages. */
async function windows(context: Context): Promise<void> {
  const client = context.connection.jetstream()
  const manager = await context.connection.jetstreamManager()
  await manager.streams.add(stream('WINDOW', { max_age: nanos(2_000), duplicate_window: nanos(1_000) }))
  await attempt(context, 'in the window', () => client.publish('window.a', '1', { msgID: 'a' }))
  await attempt(context, 'again in the window', () => client.publish('window.a', '1', { msgID: 'a' }))
  await context.sleep(1_400)
  await attempt(context, 'after the window', () => client.publish('window.a', '2', { msgID: 'a' }))
  await context.sleep(3_500)
  await attempt(context, 'after the age', async () => (await manager.streams.info('WINDOW')).state)
  await attempt(context, 'the next one', () => client.publish('window.a', '3', { msgID: 'b' }))
}

async function messages(context: Context): Promise<void> {
  const { connection } = context
  const manager = await connection.jetstreamManager()
  const direct = (manager as unknown as { direct: { getMessage(stream: string, query: object): Promise<unknown> } })
    .direct
  const show = (found: unknown) => {
    const { seq, subject, data, header } = found as {
      seq: number
      subject: string
      data: Uint8Array
      header?: Iterable<[string, string[]]>
    }
    const fields = [...(header ?? [])].filter(([name]) => !name.startsWith('Nats-Time'))
    return { seq, subject, data: Buffer.from(data).toString(), header: Object.fromEntries(fields) }
  }
  for (const query of [
    { seq: 2 },
    { seq: 77 },
    { last_by_subj: 'pub.a' },
    { last_by_subj: 'pub.z' },
    { seq: 2, next_by_subj: 'pub.c' },
    { seq: 5, next_by_subj: 'pub.a' },
  ]) {
    const name = JSON.stringify(query)
    await attempt(context, `message ${name}`, async () => show(await manager.streams.getMessage('PUB', query as never)))
    await attempt(context, `direct ${name}`, async () => show(await direct.getMessage('PUB', query)))
  }
  await attempt(context, 'message of no stream', () => manager.streams.getMessage('NONE', { seq: 1 }))
  await manager.streams.add(stream('INDIRECT', { allow_direct: false }))
  await attempt(context, 'direct where it is not allowed', () => direct.getMessage('INDIRECT', { seq: 1 }))
}

async function purges(context: Context): Promise<void> {
  const client = context.connection.jetstream()
  const manager = await context.connection.jetstreamManager()
  await manager.streams.add(stream('PURGE'))
  for (let i = 0; i < 12; i++) await client.publish(`purge.${'abc'[i % 3]}`, String(i), { msgID: `id-${i}` })
  const state = (step: string) => attempt(context, step, async () => (await manager.streams.info('PURGE')).state)
  const purge = (step: string, options: object) =>
    attempt(context, step, () => manager.streams.purge('PURGE', options as never))
  await purge('purge below 4', { seq: 4 })
  await state('state after it')
  await purge('purge a subject', { filter: 'purge.b' })
  await state('state after a subject')
  await purge('purge a subject below 9', { filter: 'purge.a', seq: 9 })
  await purge('purge all but one', { filter: 'purge.c', keep: 1 })
  await state('state after keep')
  await attempt(context, 'delete a message', () => manager.streams.deleteMessage('PURGE', 10))
  await attempt(context, 'delete it again', () => manager.streams.deleteMessage('PURGE', 10))
  await attempt(context, 'a known id', () => client.publish('purge.a', 'x', { msgID: 'id-3' }))
  await purge('purge beyond the end', { seq: 1_000 })
  await state('state after all')
  await attempt(context, 'next after a purge', () => client.publish('purge.a', 'x'))
  await purge('purge everything', {})
  await state('empty again')
  await attempt(context, 'purge of no stream', () => manager.streams.purge('NONE'))
}

const consumer = (more: Partial<ConsumerConfig>): Partial<ConsumerConfig> => ({
  ack_policy: AckPolicy.All,
  deliver_policy: DeliverPolicy.StartSequence,
  opt_start_seq: 1,
  mem_storage: true,
  num_replicas: 1,
  inactive_threshold: nanos(60_000),
  ...more,
})

const place = ({ seq, subject, info }: JsMsg) => ({
  seq,
  subject,
  delivery: info.deliverySequence,
  count: info.deliveryCount,
  pending: info.pending,
})

async function pulls(context: Context): Promise<void> {
  const { connection, sleep } = context
  const client = connection.jetstream()
  const manager = await connection.jetstreamManager()
  await manager.streams.add(stream('PULL'))
  for (let i = 0; i < 8; i++) await client.publish(`pull.${i % 2}.x`, String(i))
  const info = (step: string, name: string) =>
    attempt(context, step, async () => {
      const { delivered, ack_floor, num_ack_pending, num_pending, num_redelivered } = await manager.consumers.info(
        'PULL',
        name,
      )
      return { delivered, ack_floor, num_ack_pending, num_pending, num_redelivered }
    })
  await attempt(context, 'consumer of no stream', () => manager.consumers.add('NONE', consumer({ name: 'c' })))
  await attempt(context, 'consumer', async () => {
    const { config, ...rest } = await manager.consumers.add(
      'PULL',
      consumer({ name: 'c', filter_subject: 'pull.0.>', ack_wait: nanos(2_000), max_ack_pending: 3 }),
    )
    return { ...rest, filter: config.filter_subject, ack: config.ack_policy, wait: config.ack_wait }
  })
  await attempt(context, 'the same consumer again', async () => {
    const { name } = await manager.consumers.add(
      'PULL',
      consumer({ name: 'c', filter_subject: 'pull.0.>', ack_wait: nanos(2_000), max_ack_pending: 3 }),
    )
    return name
  })
  const fetch = async (step: string, name: string, options: object) => {
    const found: JsMsg[] = []
    await attempt(context, step, async () => {
      const pulled = await (await client.consumers.get('PULL', name)).fetch(options)
      for await (const message of pulled) found.push(message)
      return found.map(place)
    })
    return found
  }
  const first = await fetch('fetch two', 'c', { max_messages: 2, expires: 1_000 })
  await info('after two', 'c')
  await fetch('fetch up to the bound', 'c', { max_messages: 5, expires: 1_000 })
  await info('at the bound', 'c')
  await attempt(context, 'acknowledge the second', () => first[1]!.ackAck())
  await info('after the acknowledgement', 'c')
  await sleep(2_600)
  await fetch('after the wait for acknowledgements', 'c', { max_messages: 5, expires: 1_000 })
  await attempt(context, 'delete', () => manager.consumers.delete('PULL', 'c'))
  await attempt(context, 'delete again', () => manager.consumers.delete('PULL', 'c'))
  await attempt(context, 'acknowledge to a deleted consumer', () => first[0]!.ackAck())
  await attempt(context, 'info of none', () => manager.consumers.info('PULL', 'c'))
  await manager.consumers.add('PULL', consumer({ name: 'd' }))
  await fetch('without a filter', 'd', { max_messages: 20, expires: 1_000 })
  // Deleted during a pull.
  const pulled = await (await client.consumers.get('PULL', 'd')).fetch({ max_messages: 5, expires: 3_000 })
  await sleep(200)
  await manager.consumers.delete('PULL', 'd')
  await attempt(context, 'deleted during a pull', async () => {
    for await (const message of pulled) context.note('unexpected', place(message))
  })
  await attempt(context, 'names', async () => {
    const names: string[] = []
    for await (const { name } of manager.consumers.list('PULL')) names.push(name)
    return names
  })
}

/** Where consumers begin, on streams that were purged or are shorter than asked for. */
async function positions(context: Context): Promise<void> {
  const client = context.connection.jetstream()
  const manager = await context.connection.jetstreamManager()
  await manager.streams.add(stream('POS'))
  for (let i = 0; i < 6; i++) await client.publish(`pos.${i % 2}`, String(i))
  await manager.streams.purge('POS', { seq: 3 })
  const begin = async (step: string, more: Partial<ConsumerConfig>) => {
    await attempt(context, step, async () => {
      const { delivered, num_pending } = await manager.consumers.add('POS', consumer({ name: step, ...more }))
      await client.publish('pos.0', 'later')
      const found: object[] = []
      for await (const message of await (await client.consumers.get('POS', step)).fetch({
        max_messages: 20,
        expires: 1_000,
      }))
        found.push(place(message))
      return { delivered, num_pending, found }
    })
  }
  await begin('below-the-first', { opt_start_seq: 1 })
  await begin('in-the-middle', { opt_start_seq: 5, filter_subject: 'pos.0' })
  await begin('beyond-the-end', { opt_start_seq: 50 })
  await begin('all', { deliver_policy: DeliverPolicy.All, opt_start_seq: undefined as never })
  await begin('new', { deliver_policy: DeliverPolicy.New, opt_start_seq: undefined as never })
  await begin('last-per-subject', {
    deliver_policy: DeliverPolicy.LastPerSubject,
    opt_start_seq: undefined as never,
    filter_subject: 'pos.*',
  })
}

async function pushes(context: Context): Promise<void> {
  const { connection, sleep } = context
  const manager = await connection.jetstreamManager()
  const seen: object[] = []
  const subscription = connection.subscribe('inbox.push', {
    callback: (_, message) => {
      const { code = 0, description } = message.headers ?? {}
      if (code === 0) seen.push({ subject: message.subject, reply: message.reply?.split('.').slice(0, 7) })
      else if (!seen.some((one) => (one as { code?: number }).code === code)) seen.push({ code, description })
    },
  })
  await manager.consumers.add(
    'POS',
    consumer({
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      opt_start_seq: undefined as never,
      deliver_subject: 'inbox.push',
      idle_heartbeat: nanos(500),
      name: 'push',
    }),
  )
  await sleep(1_400)
  subscription.unsubscribe()
  context.note('pushed', seen)
}

async function buckets(context: Context): Promise<void> {
  const { connection, sleep } = context
  const client = connection.jetstream()
  const kv = await client.views.kv('BUCKET', { history: 1, ttl: 3_000 })
  const manager = await connection.jetstreamManager()
  await attempt(context, 'stream of a bucket', async () => {
    const { config } = await manager.streams.info('KV_BUCKET')
    const { subjects, max_msgs_per_subject, max_age, duplicate_window, discard, allow_rollup_hdrs } = config
    return { subjects, max_msgs_per_subject, max_age, duplicate_window, discard, allow_rollup_hdrs }
  })
  const changes: object[] = []
  const watch = await kv.watch()
  const watching = (async () => {
    for await (const { key, operation, revision, delta } of watch) changes.push({ key, operation, revision, delta })
  })()
  await attempt(context, 'get nothing', () => kv.get('a'))
  await attempt(context, 'create', () => kv.create('a', '1'))
  await attempt(context, 'create again', () => kv.create('a', '2'))
  await attempt(context, 'update', () => kv.update('a', '2', 1))
  await attempt(context, 'update an old revision', () => kv.update('a', '3', 1))
  await attempt(context, 'put of a new key with a revision', () => kv.put('b', 'x', { previousSeq: 9 }))
  await attempt(context, 'delete with an old revision', () => kv.delete('a', { previousSeq: 1 }))
  await attempt(context, 'delete', () => kv.delete('a', { previousSeq: 2 }))
  const show = async (key: string) => {
    const entry = await kv.get(key)
    return entry && { operation: entry.operation, revision: entry.revision, value: entry.string() }
  }
  await attempt(context, 'get deleted', () => show('a'))
  await attempt(context, 'create after delete', () => kv.create('a', '4'))
  await attempt(context, 'purge', () => kv.purge('a'))
  await attempt(context, 'put', () => kv.put('c.d', 'z'))
  await attempt(context, 'get', () => show('c.d'))
  await attempt(context, 'status', async () => (await kv.status()).values)
  await attempt(context, 'keys', async () => {
    const keys: string[] = []
    for await (const key of await kv.keys()) keys.push(key)
    return keys
  })
  await sleep(4_200)
  await attempt(context, 'expired', () => show('c.d'))
  await attempt(context, 'status after that', async () => (await kv.status()).values)
  await attempt(context, 'create an expired key', () => kv.create('c.d', 'again'))
  await sleep(100)
  watch.stop()
  await watching
  context.note('watched', changes)
  const again: object[] = []
  for await (const { key, operation, delta } of await kv.watch()) {
    again.push({ key, operation, delta })
    if (delta === 0) break
  }
  context.note('watched again', again)
}

async function objects(context: Context): Promise<void> {
  const client = context.connection.jetstream()
  const files = await client.views.os('FILES')
  const bytes = (size: number) => new Uint8Array(size).map((_, i) => i % 251)
  const body = (size: number) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes(size))
        controller.close()
      },
    })
  const length = async (name: string) => (await files.getBlob(name))?.length ?? null
  await attempt(context, 'no object', () => length('a'))
  await attempt(context, 'put object', async () => (await files.put({ name: 'a' }, body(300_000))).chunks)
  await attempt(context, 'get object', () => length('a'))
  await attempt(context, 'put another', async () => (await files.put({ name: 'b' }, body(10))).size)
  await attempt(context, 'list', async () => (await files.list()).map(({ name, size }) => ({ name, size })))
  await attempt(context, 'delete object', async () => (await files.delete('a')).success)
  await attempt(context, 'get deleted object', () => length('a'))
  await attempt(context, 'list after delete', async () =>
    (await files.list()).map(({ name, size }) => ({ name, size })),
  )
}

async function core(context: Context): Promise<void> {
  const { connection } = context
  const heard: string[] = []
  const listen = (subject: string, queue?: string) =>
    connection.subscribe(subject, {
      ...(queue && { queue }),
      callback: (_, message) => {
        heard.push(`${subject} ${queue ?? ''} ${message.subject} ${message.headers?.get('Field') ?? ''}`)
        if (message.reply) message.respond('answer')
      },
    })
  listen('core.*')
  listen('core.>', 'group')
  listen('core.>', 'group')
  const header = headers()
  header.set('Field', 'value')
  connection.publish('core.a', 'x', { headers: header })
  connection.publish('core.a.b', 'x')
  await connection.flush()
  await attempt(context, 'request', async () => (await connection.request('core.q', '', { timeout: 1_000 })).string())
  await attempt(context, 'request to nobody', () => connection.request('other.q', '', { timeout: 1_000 }))
  context.note('heard', heard.sort())
}

/** Fields that differ from run to run, from version to version or only between servers. */
const VOLATILE = new Set([
  'created',
  'ts',
  'time',
  'first_ts',
  'last_ts',
  'cluster',
  'type',
  'did_create',
  'domain',
  'metadata',
  'alternates',
  'bytes',
  'lost',
  'num_waiting',
  'consumer_limits',
  'compression',
  'pause_remaining',
  'last_active',
  'deny_delete',
  'deny_purge',
  'sealed',
  'allow_msg_ttl',
  'first_seq_of_config',
  'mirror_direct',
  'placement',
  'no_ack',
  'template_owner',
  'persist_mode',
  'allow_atomic',
  'allow_msg_counter',
  'subject_delete_marker_ttl',
  'allow_msg_schedules',
])

function plain(value: unknown): unknown {
  if (value === undefined) return null
  return JSON.parse(JSON.stringify(value, (key, field: unknown) => (VOLATILE.has(key) ? undefined : field))) as unknown
}
