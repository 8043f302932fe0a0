import type { Answer, AskOptions, CanvassService, ExportEnd } from '../canvass/canvass_service.js'
import type { QuestionKind } from '../canvass/questions.js'
import { codeOf } from '../errors.js'
import type { CropRef } from '../model/read.js'
import { requireWhole, type Scope } from '../store/scope.js'
import type { Access, AccessGate, AccessRequest, Ticket } from './access.js'
import { throughGate } from './through_gate.js'
import type {
  HitRecord,
  HitsQuery,
  LedgerEntry,
  LedgerQuery,
  Page,
  ReadRecord,
  ReadsQuery,
  StoredRecords,
} from './stored_records.js'

/**
 * The records door: the only way for plate data, stored or live, to reach a person. Every method takes an `Access`, and
 * asks the gate before anything is read; the gate's scope is part of every statement.
 */
export class Records {
  readonly #stored: StoredRecords
  readonly #canvass: CanvassService
  readonly #gate: AccessGate

  constructor(stored: StoredRecords, canvass: CanvassService, gate: AccessGate) {
    this.#stored = stored
    this.#canvass = canvass
    this.#gate = gate
  }

  /** Whether the store answers; no plate data. @throws ALPR_ERR_STORE_UNAVAILABLE */
  ping(): Promise<void> {
    return this.#stored.ping()
  }

  /**
   * The latest reads, newest first. @throws ALPR_ERR_REQUEST_INVALID, ALPR_ERR_STORE_UNAVAILABLE, or what the gate
   * throws
   */
  reads(access: Access, query: ReadsQuery): Promise<Page<ReadRecord>> {
    return this.#page(access, { kind: 'reads', input: query, form: 'page' }, ({ scope }) =>
      this.#stored.reads(query, scope),
    )
  }

  /** The latest hits, newest first, each in its highest revision. @throws as `reads` */
  hits(access: Access, query: HitsQuery): Promise<Page<HitRecord>> {
    return this.#page(access, { kind: 'hits', input: query, form: 'page' }, ({ scope }) =>
      this.#stored.hits(query, scope),
    )
  }

  /** Frames per camera and hour, newest first. @throws as `reads` */
  ledger(access: Access, query: LedgerQuery): Promise<Page<LedgerEntry>> {
    return this.#page(access, { kind: 'ledger', input: query, form: 'page' }, ({ scope }) =>
      this.#stored.ledger(query, scope),
    )
  }

  /** All entries from `query.before` on, page by page of `query.limit`. @throws as `reads` */
  async *exportLedger(access: Access, query: LedgerQuery): AsyncGenerator<LedgerEntry[]> {
    const request: AccessRequest = { kind: 'ledger', input: query, form: 'export' }
    const stored = this.#stored
    const pages = async function* (scope: Scope): AsyncGenerator<LedgerEntry[]> {
      let before = query.before
      do {
        const page = await stored.ledger({ ...query, ...(before !== undefined && { before }) }, scope)
        yield page.items
        before = page.next
      } while (before !== undefined)
    }
    yield* this.#streamed(
      access,
      request,
      (page: LedgerEntry[]) => page.length,
      ({ scope }) => pages(scope),
    )
  }

  /**
   * The JPEG at a place in the segment files. @throws ALPR_ERR_NOT_FOUND, ALPR_ERR_CROP_CORRUPT, or what the gate
   * throws
   */
  picture(access: Access, ref: CropRef): Promise<Uint8Array> {
    return throughGate(this.#gate, access, { kind: 'picture', input: ref, form: 'page' }, async ({ scope }, count) => {
      // A place in a file does not say whose it is.
      requireWhole(scope, 'a picture by its place')
      const jpeg = await this.#stored.picture(ref)
      count(1)
      return jpeg
    })
  }

  /** One page of the answer to a question. @throws what CanvassService.answer throws, or what the gate throws */
  async ask(access: Access, kind: QuestionKind, input: unknown, options: AskOptions = {}): Promise<Answer> {
    const asked = await this.#canvass.prepare(kind, input)
    const request: AccessRequest = {
      kind: 'question',
      input: { question: kind, ...asked.input },
      form: asked.input.explain ? 'explain' : 'page',
    }
    return this.#page(access, request, ({ scope }) => this.#canvass.answer(asked, scope, options))
  }

  /**
   * The whole answer to a question, page by page, at most 1,000,000 rows; returns where to continue. @throws as `ask`
   */
  async *export(
    access: Access,
    kind: QuestionKind,
    input: unknown,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<unknown[], ExportEnd> {
    const asked = await this.#canvass.prepareExport(kind, input)
    const request: AccessRequest = { kind: 'question', input: { question: kind, ...asked.input }, form: 'export' }
    return yield* this.#streamed(
      access,
      request,
      (page: unknown[]) => page.length,
      ({ scope }) => this.#canvass.export(asked, scope, options),
    )
  }

  /** What is known so far, while it is found: each answer replaces the previous one. @throws as `ask` */
  async *watch(
    access: Access,
    kind: QuestionKind,
    input: unknown,
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<Answer> {
    const asked = await this.#canvass.prepareWatch(kind, input)
    const request: AccessRequest = { kind: 'question', input: { question: kind, ...asked.input }, form: 'page' }
    let last = 0
    // Each answer holds the previous ones: the rows that left are those of the last.
    const added = ({ items }: Answer) => {
      const more = Math.max(0, items.length - last)
      last = Math.max(last, items.length)
      return more
    }
    yield* this.#streamed(access, request, added, ({ scope }) => this.#canvass.watch(asked, scope, options))
  }

  /**
   * Begins an access to live hits and reads, or to plate data that the caller fetches from elsewhere (a dead letter, a
   * recording, a backup). The caller keeps to the ticket's scope and ends it.
   * @throws what the gate throws: then nothing may be shown
   */
  begin(access: Access, request: AccessRequest): Promise<Ticket> {
    return this.#gate.begin(access, request)
  }

  /** Closes the stored records; accesses that are open end by themselves. */
  close(): Promise<void> {
    return this.#stored.close()
  }

  #page<Answered extends { items: readonly unknown[] }>(
    access: Access,
    request: AccessRequest,
    work: (ticket: Ticket) => Promise<Answered>,
  ): Promise<Answered> {
    return throughGate(this.#gate, access, request, async (ticket, count) => {
      const answer = await work(ticket)
      count(answer.items.length)
      return answer
    })
  }

  async *#streamed<T, End>(
    access: Access,
    request: AccessRequest,
    rowsOf: (piece: T) => number,
    work: (ticket: Ticket) => AsyncGenerator<T, End>,
  ): AsyncGenerator<T, End> {
    const ticket = await this.#gate.begin(access, request)
    let rows = 0
    // Until the last piece is out, the reader may give up.
    let failed: string | undefined = 'ALPR_ERR_QUESTION_GIVEN_UP'
    let pieces: AsyncGenerator<T, End> | undefined
    try {
      pieces = work(ticket)
      for (;;) {
        const piece = await pieces.next()
        if (piece.done) {
          failed = undefined
          return piece.value
        }
        rows += rowsOf(piece.value)
        yield piece.value
      }
    } catch (error) {
      failed = codeOf(error)
      throw error
    } finally {
      await pieces?.return(undefined as End)
      await ticket.end({ rows, ...(failed !== undefined && { failed }) })
    }
  }
}
