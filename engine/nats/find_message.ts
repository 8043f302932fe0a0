import type { JetStreamManager, MsgRequest, StoredMsg } from 'nats'
import { isApiError, kMessageNotFound } from './errors.js'

/** A message as the stream's leader has it: copies may lag. @returns undefined when it has none such */
export async function findMessage(
  manager: JetStreamManager,
  stream: string,
  query: MsgRequest,
): Promise<StoredMsg | undefined> {
  try {
    return await manager.streams.getMessage(stream, query)
  } catch (error) {
    if (isApiError(error, kMessageNotFound)) return undefined
    throw error
  }
}

/** The first message with sequence `from` or a later one whose subject matches. */
export const findNext = (
  manager: JetStreamManager,
  stream: string,
  from: number,
  subject = '>',
): Promise<StoredMsg | undefined> =>
  // The client's types know only one of the two fields at a time.
  findMessage(manager, stream, { seq: from, next_by_subj: subject } as MsgRequest)
