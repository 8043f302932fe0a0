import { createHash } from 'node:crypto'
import {
  headers,
  JsHeaders,
  nuid,
  type JetStreamClient,
  type JetStreamManager,
  type MsgRequest,
  type StoredMsg,
} from 'nats'
import { OBJECTS } from '../nats/topology.js'
import { within } from '../runtime/backoff.js'
import { MAX_TEXT_BYTES } from './entry_sorter.js'

/**
 * The objects of bucket HOTLIST_FILES, in the format of NATS object stores. The client's own functions are not used:
 * its `put` publishes all pieces at once, each with a time limit that begins then (a list of 1.5 million entries never
 * fits into it), and its `get` waits forever when a piece is missing.
 *
 *     stream OBJ_HOTLIST_FILES
 *     $O.HOTLIST_FILES.C.<nuid>          the pieces of an object, in order
 *     $O.HOTLIST_FILES.M.<base64 name>   its description: nuid, size, number of pieces, digest
 */
const STREAM = `OBJ_${OBJECTS.hotlistFiles}`
const piecesSubject = (id: string) => `$O.${OBJECTS.hotlistFiles}.C.${id}`
const DESCRIPTIONS = `$O.${OBJECTS.hotlistFiles}.M.`
const descriptionSubject = (name: string) => DESCRIPTIONS + paddedBase64Url(Buffer.from(name))

/** As the format wants it. `base64url` of Node leaves the padding out. */
const paddedBase64Url = (bytes: Buffer): string => bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')

const PIECE_BYTES = 131_072
/** Pieces published and not yet acknowledged. */
const MAX_UNACKNOWLEDGED = 16
/** How long the server may take to store a piece, or to delete an object, ms. */
const WRITE_MS = 60_000

/** Pieces of an upload that was killed are deleted when they are this old, ms. */
const LOST_MS = 3_600_000

interface Description {
  nuid: string
  /** Bytes. */
  size: number
  chunks: number
  deleted?: boolean
}

/** Writes an object whose name is known only when its content is. */
export class ObjectUpload {
  readonly #id = nuid.next()
  readonly #hash = createHash('sha256')
  #piece = Buffer.allocUnsafe(PIECE_BYTES)
  #used = 0
  #size = 0
  #pieces = 0
  readonly #unacknowledged = new Set<Promise<void>>()
  #failure: unknown

  constructor(private readonly client: JetStreamClient) {}

  /** Appends bytes. Waits while too many pieces are not acknowledged. @throws what NATS says */
  async write(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + PIECE_BYTES - this.#used)
      this.#piece.set(part, this.#used)
      this.#used += part.length
      from += part.length
      if (this.#used === PIECE_BYTES) await this.#send()
    }
  }

  /** SHA-256 of all bytes written, hex. Ends the content. */
  async end(): Promise<string> {
    if (this.#used > 0) await this.#send()
    await Promise.all(this.#unacknowledged)
    if (this.#failure) throw this.#failure
    return this.#hash.copy().digest('hex')
  }

  /**
   * Makes the object appear under its name, whole, in one step. An object of the same name is replaced: it may have
   * lost pieces. @throws what NATS says
   */
  async commit(name: string): Promise<void> {
    const manager = await this.client.jetstreamManager(false)
    const replaced = await describe(manager, name, WRITE_MS)
    const description = {
      name,
      description: '',
      bucket: OBJECTS.hotlistFiles,
      nuid: this.#id,
      size: this.#size,
      chunks: this.#pieces,
      mtime: new Date().toISOString(),
      digest: `SHA-256=${paddedBase64Url(this.#hash.digest())}`,
      deleted: false,
      options: { max_chunk_size: PIECE_BYTES },
    }
    const header = headers()
    header.set(JsHeaders.RollupHdr, JsHeaders.RollupValueSubject)
    await this.client.publish(descriptionSubject(name), JSON.stringify(description), {
      headers: header,
      timeout: WRITE_MS,
    })
    if (replaced) await purge(manager, piecesSubject(replaced.nuid))
  }

  /** Deletes the pieces of an object that gets no name. */
  async abandon(): Promise<void> {
    await Promise.all(this.#unacknowledged)
    await purge(await this.client.jetstreamManager(false), piecesSubject(this.#id))
  }

  async #send(): Promise<void> {
    const piece = this.#piece.subarray(0, this.#used)
    this.#piece = Buffer.allocUnsafe(PIECE_BYTES)
    this.#used = 0
    this.#size += piece.length
    this.#pieces += 1
    this.#hash.update(piece)
    while (this.#unacknowledged.size >= MAX_UNACKNOWLEDGED) await Promise.race(this.#unacknowledged)
    if (this.#failure) throw this.#failure
    const sending: Promise<void> = this.client
      .publish(piecesSubject(this.#id), piece, { timeout: WRITE_MS })
      .then(
        () => {},
        (error: unknown) => {
          this.#failure ??= error
        },
      )
      .finally(() => this.#unacknowledged.delete(sending))
    this.#unacknowledged.add(sending)
  }
}

/** How long the server may take for one piece, ms. */
const PIECE_MS = 10_000

/** Asks whether to go on, after each piece. */
export interface ReadOptions {
  signal?: AbortSignal
  /** How long the server may take for one piece, ms. @default 10 s */
  pieceMs?: number
}

/**
 * The content of an object; undefined when there is none of that name. Pieces are asked for one by one, so that one
 * that was deleted meanwhile is an error, not a silence.
 * @throws Error when a piece is missing or does not come in time; the signal's reason
 */
export async function readObject(
  client: JetStreamClient,
  name: string,
  options: ReadOptions = {},
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const described = await sizeOf(client, name, options)
  if (!described) return undefined
  const content = new Uint8Array(described.size)
  let read = 0
  for await (const piece of piecesOf(client, described, options)) {
    content.set(piece, read)
    read += piece.length
  }
  return content
}

/**
 * The content of an object piece by piece, without keeping it; undefined when there is none of that name.
 * @throws Error as `readObject`, when the pieces are taken
 */
export async function readObjectPieces(
  client: JetStreamClient,
  name: string,
  options: ReadOptions = {},
): Promise<AsyncGenerator<Uint8Array, void, void> | undefined> {
  const described = await sizeOf(client, name, options)
  return described && piecesOf(client, described, options)
}

async function sizeOf(client: JetStreamClient, name: string, { pieceMs = PIECE_MS }: ReadOptions) {
  const described = await describe(await client.jetstreamManager(false), name, pieceMs)
  if (!described || described.deleted) return undefined
  const { size } = described
  if (!(size >= 0 && size <= MAX_TEXT_BYTES)) throw new Error(`it has ${size} bytes, the limit is ${MAX_TEXT_BYTES}`)
  return described
}

async function* piecesOf(
  client: JetStreamClient,
  { nuid: id, size }: Description,
  { signal, pieceMs = PIECE_MS }: ReadOptions,
): AsyncGenerator<Uint8Array, void, void> {
  const manager = await client.jetstreamManager(false)
  for (let [read, seq] = [0, 0]; read < size; ) {
    signal?.throwIfAborted()
    const piece = await ask(manager, { seq: seq + 1, next_by_subj: piecesSubject(id) } as MsgRequest, pieceMs)
    if (!piece) throw new Error(`only ${read} of ${size} bytes are stored`)
    if (read + piece.data.length > size) throw new Error(`more than ${size} bytes are stored`)
    yield piece.data
    read += piece.data.length
    seq = piece.seq
  }
}

/** Names of all objects, also of those whose description says that they are deleted. */
export async function objectNames(client: JetStreamClient): Promise<string[]> {
  const manager = await client.jetstreamManager(false)
  const { state } = await manager.streams.info(STREAM, { subjects_filter: `${DESCRIPTIONS}>` })
  return Object.keys(state.subjects ?? {}).map((subject) =>
    Buffer.from(subject.slice(DESCRIPTIONS.length), 'base64url').toString(),
  )
}

/** Deletes an object with its description. One that does not exist is no error. */
export async function deleteObject(client: JetStreamClient, name: string): Promise<void> {
  const manager = await client.jetstreamManager(false)
  const described = await describe(manager, name, WRITE_MS)
  if (!described) return
  await purge(manager, descriptionSubject(name))
  await purge(manager, piecesSubject(described.nuid))
}

/**
 * Deletes pieces that belong to no object: of uploads that were killed. An upload that goes on has pieces without a
 * description too, but not for long. @param ageMs of the newest piece
 */
export async function deleteLostPieces(client: JetStreamClient, ageMs = LOST_MS): Promise<void> {
  const manager = await client.jetstreamManager(false)
  const names = await objectNames(client)
  const { state } = await manager.streams.info(STREAM, { subjects_filter: piecesSubject('>') })
  const pieces = new Set(Object.keys(state.subjects ?? {}))
  // An empty object has a description and no pieces: so there may be fewer subjects, never more without a lost one.
  if (pieces.size <= names.length) return
  for (const name of names) {
    const described = await describe(manager, name, WRITE_MS)
    if (described) pieces.delete(piecesSubject(described.nuid))
  }
  for (const subject of pieces) {
    const newest = await ask(manager, { last_by_subj: subject }, WRITE_MS)
    if (newest && Date.now() - newest.time.getTime() > ageMs) await purge(manager, subject)
  }
}

async function describe(manager: JetStreamManager, name: string, ms: number): Promise<Description | undefined> {
  const message = await ask(manager, { last_by_subj: descriptionSubject(name) }, ms)
  return message && (JSON.parse(new TextDecoder().decode(message.data)) as Description)
}

type Found = Pick<StoredMsg, 'seq' | 'data' | 'time'>

/** A message of the stream; undefined when there is none. Any replica may answer, else the leader. */
async function ask(manager: JetStreamManager, request: MsgRequest, ms: number): Promise<Found | undefined> {
  // The client has direct requests, its types do not.
  const { direct } = manager as JetStreamManager & {
    direct: { getMessage(stream: string, request: MsgRequest): Promise<Found> }
  }
  const isMissing = (error: unknown) => (error as { code?: string }).code === '404'
  try {
    return await within(ms, direct.getMessage(STREAM, request))
  } catch {
    // A replica that lags does not have the message yet, and older streams do not allow direct requests.
    return await within(ms, manager.streams.getMessage(STREAM, request)).catch((error: unknown) => {
      if (isMissing(error)) return undefined
      throw error
    })
  }
}

/** Deleting the pieces of a large object takes longer than a request may: it is asked again until it is done. */
async function purge(manager: JetStreamManager, filter: string): Promise<void> {
  const deadline = performance.now() + WRITE_MS
  for (;;) {
    try {
      await manager.streams.purge(STREAM, { filter })
      return
    } catch (error) {
      if ((error as { code?: string }).code !== 'TIMEOUT' || performance.now() > deadline) throw error
    }
  }
}
