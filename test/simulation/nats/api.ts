import { checkConsumerConfig, Consumer, type ConsumerConfig, type ConsumerHost } from './consumer.js'
import { ApiError } from './errors.js'
import { completeConfig, type StoredMessage, type Stream, type StreamConfig, type StreamConsumer } from './stream.js'
import { overlap } from './subjects.js'
import { headerBlock } from './wire.js'

/** What the API needs of its server. */
export interface ApiServer extends ConsumerHost {
  readonly streams: ReadonlyMap<string, Stream>
  /** A name for a consumer that has none. */
  newName(): string
  addStream(config: StreamConfig): Stream
  updateStream(stream: Stream, config: StreamConfig): void
  deleteStream(name: string): boolean
}

const TYPE = 'io.nats.jetstream.api.v1.'
/** Most names in one answer of a list. */
const PAGE = 256
const SUBJECTS_PAGE = 100_000
const NO_PAGE = { total: 0, offset: 0, limit: 0 }

/**
 * Carries out a request to `$JS.API.>`.
 * @returns the answer; undefined when it has none (a pull)
 */
export function answerApi(
  server: ApiServer,
  subject: string,
  data: Buffer,
  reply: string | undefined,
): object | undefined {
  const tokens = subject.split('.').slice(2)
  try {
    return dispatch(server, tokens, data, reply)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { type: `${TYPE}${tokens.slice(0, 2).join('_').toLowerCase()}_response`, error }
  }
}

function dispatch(server: ApiServer, tokens: string[], data: Buffer, reply: string | undefined): object | undefined {
  const body = () => (data.length === 0 ? {} : (JSON.parse(data.toString()) as Record<string, never>))
  const [room, verb] = tokens
  const call = `${room}.${verb}`
  switch (call) {
    case 'INFO.undefined':
      return accountInfo(server)
    case 'STREAM.CREATE':
      return createStream(server, body() as never)
    case 'STREAM.UPDATE':
      return updateStream(server, body() as never)
    case 'STREAM.INFO':
      return { type: `${TYPE}stream_info_response`, ...NO_PAGE, ...infoOf(streamOf(server, tokens[2]), server, body()) }
    case 'STREAM.DELETE':
      server.deleteStream(streamOf(server, tokens[2]).name)
      return { type: `${TYPE}stream_delete_response`, success: true }
    case 'STREAM.PURGE':
      return { type: `${TYPE}stream_purge_response`, success: true, purged: streamOf(server, tokens[2]).purge(body()) }
    case 'STREAM.NAMES':
    case 'STREAM.LIST':
      return listStreams(server, verb!, body())
    case 'STREAM.MSG':
      return tokens[2] === 'GET' ? getMessage(server, tokens[3], body()) : deleteMessage(server, tokens[3], body())
    case 'CONSUMER.CREATE':
    case 'CONSUMER.DURABLE':
      return createConsumer(server, tokens, body() as never)
    case 'CONSUMER.INFO':
      return { type: `${TYPE}consumer_info_response`, ...consumerOf(server, tokens).info() }
    case 'CONSUMER.DELETE':
      deleteConsumer(server, tokens)
      return { type: `${TYPE}consumer_delete_response`, success: true }
    case 'CONSUMER.NAMES':
    case 'CONSUMER.LIST':
      return listConsumers(streamOf(server, tokens[2]), verb!, body())
    case 'CONSUMER.MSG': {
      // Without such a consumer, nobody answers in 2.9.
      const consumer = server.streams.get(tokens[3]!)?.consumers.get(tokens[4]!)
      if (reply && consumer) consumer.pull(data, reply)
      else if (reply && server.isNewer) server.send(reply, { header: headerBlock('503') })
      return undefined
    }
    default:
      throw new Error(`the simulated server has no ${tokens.join('.')}`)
  }
}

/** `$JS.API.DIRECT.GET.<stream>[.<subject>]`: the message itself, with its place in headers. */
export function answerDirectGet(
  server: ApiServer,
  subject: string,
  data: Buffer,
): { header?: Buffer; data?: Uint8Array } | undefined {
  const tokens = subject.split('.').slice(4)
  const stream = server.streams.get(tokens[0]!)
  // Nobody listens there.
  if (!stream?.config.allow_direct) return undefined
  const last = tokens.slice(1).join('.')
  const query = last ? { last_by_subj: last } : (JSON.parse(data.toString() || '{}') as Query)
  const found = find(server, stream, query)
  if (!found) return { header: headerBlock('404 Message Not Found') }
  const place = headerBlock('', {
    'Nats-Stream': stream.name,
    'Nats-Subject': found.subject,
    'Nats-Sequence': found.seq,
    'Nats-Time-Stamp': timeText(found.time),
  })
  const own = found.header?.subarray(found.header.indexOf('\r\n') + 2) ?? Buffer.from('\r\n')
  return { header: Buffer.concat([place.subarray(0, -2), own]), data: found.data }
}

interface Query {
  seq?: number
  last_by_subj?: string
  next_by_subj?: string
}

function find(server: ApiServer, stream: Stream, query: Query): StoredMessage | undefined {
  stream.expire(server.wallClock())
  if (query.last_by_subj) return stream.lastOf(query.last_by_subj)
  if (query.next_by_subj) return stream.next(query.seq ?? 1, [query.next_by_subj])
  return stream.at(query.seq ?? 0)
}

function streamOf(server: ApiServer, name: string | undefined): Stream {
  const stream = server.streams.get(name ?? '')
  if (!stream) throw new ApiError(404, 10_059, 'stream not found')
  stream.expire(server.wallClock())
  return stream
}

function accountInfo(server: ApiServer): object {
  const streams = [...server.streams.values()]
  return {
    type: `${TYPE}account_info_response`,
    memory: 0,
    storage: streams.reduce((sum, { bytes }) => sum + bytes, 0),
    streams: streams.length,
    consumers: streams.reduce((sum, { consumers }) => sum + consumers.size, 0),
    limits: { max_memory: -1, max_storage: -1, max_streams: -1, max_consumers: -1 },
    api: { total: 0, errors: 0 },
  }
}

function createStream(server: ApiServer, given: Partial<StreamConfig> & { name: string }): object {
  const config = completeConfig(given)
  checkConfig(server, config)
  const existing = server.streams.get(config.name)
  if (existing && JSON.stringify(sorted(existing.config)) !== JSON.stringify(sorted(config)))
    throw new ApiError(400, 10_058, 'stream name already in use with a different configuration')
  const stream = existing ?? server.addStream(config)
  return { type: `${TYPE}stream_create_response`, ...infoOf(stream, server, {}), did_create: !existing }
}

function updateStream(server: ApiServer, given: Partial<StreamConfig> & { name: string }): object {
  const stream = streamOf(server, given.name)
  const config = completeConfig(given)
  checkConfig(server, config)
  if (config.storage !== stream.config.storage)
    throw new ApiError(500, 10_052, 'stream configuration update can not change storage type')
  server.updateStream(stream, config)
  return { type: `${TYPE}stream_update_response`, ...infoOf(stream, server, {}) }
}

function checkConfig(server: ApiServer, config: StreamConfig): void {
  const invalid = (reason: string) => new ApiError(500, 10_052, reason)
  if (config.max_age > 0 && config.duplicate_window > config.max_age)
    throw invalid('duplicates window can not be larger then max age')
  if (config.discard !== 'old' && config.discard !== 'new') throw invalid('invalid discard')
  for (const other of server.streams.values()) {
    if (other.name === config.name) continue
    if (config.subjects.some((subject) => other.config.subjects.some((theirs) => overlap(subject, theirs))))
      throw new ApiError(400, 10_065, 'subjects overlap with an existing stream')
  }
}

const sorted = (value: object): [string, unknown][] => Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))

function infoOf(stream: Stream, server: ApiServer, request: { subjects_filter?: string; offset?: number }): object {
  const { config, messages } = stream
  const state: Record<string, unknown> = {
    messages: messages.length,
    bytes: stream.bytes,
    first_seq: stream.firstSeq,
    first_ts: messages.length > 0 ? timeText(stream.firstTime) : ZERO_TIME,
    last_seq: stream.lastSeq,
    last_ts: stream.lastTime > 0 ? timeText(stream.lastTime) : ZERO_TIME,
    consumer_count: stream.consumers.size,
  }
  if (stream.subjectCount > 0) state.num_subjects = stream.subjectCount
  const deleted = messages.length === 0 ? 0 : stream.lastSeq - stream.firstSeq + 1 - messages.length
  if (deleted > 0) state.num_deleted = deleted
  const info = {
    config: { ...config },
    created: timeText(stream.created),
    state,
    domain: '',
    ts: timeText(server.wallClock()),
  }
  if (!request.subjects_filter) return info
  const subjects = Object.entries(stream.subjects(request.subjects_filter))
  const offset = request.offset ?? 0
  state.subjects = Object.fromEntries(subjects.slice(offset, offset + SUBJECTS_PAGE))
  return { ...info, total: subjects.length, offset, limit: SUBJECTS_PAGE }
}

function listStreams(
  server: ApiServer,
  verb: string,
  { subject, offset = 0 }: { subject?: string; offset?: number },
): object {
  const found = [...server.streams.values()].filter(
    ({ config }) => !subject || config.subjects.some((own) => overlap(own, subject)),
  )
  found.sort((a, b) => (a.name < b.name ? -1 : 1))
  const page = found.slice(offset, offset + PAGE)
  const streams = page.map((stream) => (verb === 'NAMES' ? stream.name : infoOf(stream, server, {})))
  return {
    type: `${TYPE}stream_${verb.toLowerCase()}_response`,
    total: found.length,
    offset,
    limit: PAGE,
    streams: verb === 'NAMES' && streams.length === 0 ? null : streams,
  }
}

function getMessage(server: ApiServer, name: string | undefined, query: Query): object {
  const stream = streamOf(server, name)
  const found = find(server, stream, query)
  if (!found) throw new ApiError(404, 10_037, 'no message found')
  return {
    type: `${TYPE}stream_msg_get_response`,
    message: {
      subject: found.subject,
      seq: found.seq,
      ...(found.header && { hdrs: found.header.toString('base64') }),
      ...(found.data.length > 0 && { data: found.data.toString('base64') }),
      time: timeText(found.time),
    },
  }
}

function deleteMessage(server: ApiServer, name: string | undefined, { seq = 0 }: Query): object {
  const stream = streamOf(server, name)
  if (!stream.delete(seq)) throw new ApiError(500, 10_057, 'no message found')
  return { type: `${TYPE}stream_msg_delete_response`, success: true }
}

function createConsumer(
  server: ApiServer,
  tokens: string[],
  { stream_name: streamName, config }: { stream_name: string; config: ConsumerConfig },
): object {
  const durableCall = tokens[1] === 'DURABLE'
  const stream = streamOf(server, durableCall ? tokens[3] : tokens[2])
  if (streamName !== stream.name) throw new ApiError(400, 10_060, 'stream name in subject does not match request')
  checkConsumerConfig(config)
  const given = (durableCall ? tokens[4] : tokens[3]) || config.name || config.durable_name
  const name = given || server.newName()
  const existing = stream.consumers.get(name)
  if (existing) {
    // The same consumer again: an answer that was lost.
    if (!existing.isPush) return { type: `${TYPE}consumer_create_response`, ...existing.info() }
    throw new ApiError(400, 10_013, 'consumer name already in use')
  }
  const isAcked = config.ack_policy !== 'none'
  const completed: ConsumerConfig = {
    ...Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== null)),
    ...(config as { deliver_policy: string; ack_policy: string }),
    ack_wait: config.ack_wait ?? 30_000_000_000,
    max_deliver: config.max_deliver || -1,
    ...(isAcked && { max_ack_pending: config.max_ack_pending ?? 1_000 }),
  }
  const consumer = new Consumer(stream, name, completed, server)
  stream.consumers.set(name, consumer)
  const answer = { type: `${TYPE}consumer_create_response`, ...consumer.info() }
  if (consumer.isPush) consumer.interestIn(completed.deliver_subject!)
  return answer
}

function consumerOf(server: ApiServer, tokens: string[]): StreamConsumer {
  const consumer = streamOf(server, tokens[2]).consumers.get(tokens[3] ?? '')
  if (!consumer) throw new ApiError(404, 10_014, 'consumer not found')
  return consumer
}

function deleteConsumer(server: ApiServer, tokens: string[]): void {
  const consumer = consumerOf(server, tokens)
  server.streams.get(tokens[2]!)!.consumers.delete(consumer.name)
  consumer.end()
}

function listConsumers(stream: Stream, verb: string, { offset = 0 }: { offset?: number }): object {
  const all = [...stream.consumers.values()]
  const page = all.slice(offset, offset + PAGE)
  return {
    type: `${TYPE}consumer_${verb.toLowerCase()}_response`,
    total: all.length,
    offset,
    limit: PAGE,
    consumers: page.map((consumer) => (verb === 'NAMES' ? consumer.name : consumer.info())),
  }
}

/** Go's time 0. */
const ZERO_TIME = '0001-01-01T00:00:00Z'

/** RFC 3339 with microseconds. */
function timeText(ms: number): string {
  const micros = Math.floor((ms % 1) * 1_000)
  return new Date(Math.floor(ms)).toISOString().replace('Z', `${String(micros).padStart(3, '0')}Z`)
}
