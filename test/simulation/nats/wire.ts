/** The client protocol of NATS, as the server sees it. */

/** A command of a client. */
export type Command =
  | { kind: 'connect' | 'ping' | 'pong' }
  | { kind: 'sub'; subject: string; queue: string | undefined; sid: string }
  | { kind: 'unsub'; sid: string; max: number | undefined }
  | { kind: 'pub'; subject: string; reply: string | undefined; header: Buffer | undefined; data: Buffer }

/** Splits what a client sent into commands. The client flushes whole commands only. */
export function* parseCommands(chunk: Buffer): Generator<Command> {
  for (let at = 0; at < chunk.length; ) {
    const end = chunk.indexOf('\r\n', at, 'latin1')
    if (end < 0) throw new Error(`the client sent part of a command: ${chunk.subarray(at, at + 100).toString()}`)
    const [verb, ...args] = chunk.toString('latin1', at, end).split(' ')
    at = end + 2
    if (verb === 'PUB' || verb === 'HPUB') {
      const size = Number(args.at(-1))
      const headerSize = verb === 'HPUB' ? Number(args.at(-2)) : 0
      const reply = args.length === (verb === 'HPUB' ? 4 : 3) ? args[1] : undefined
      const header = headerSize > 0 ? chunk.subarray(at, at + headerSize) : undefined
      yield { kind: 'pub', subject: args[0]!, reply, header, data: chunk.subarray(at + headerSize, at + size) }
      at += size + 2
    } else if (verb === 'SUB') {
      const queue = args.length === 3 ? args[1] : undefined
      yield { kind: 'sub', subject: args[0]!, queue, sid: args.at(-1)! }
    } else if (verb === 'UNSUB')
      yield { kind: 'unsub', sid: args[0]!, max: args[1] === undefined ? undefined : Number(args[1]) }
    else if (verb === 'PING' || verb === 'PONG' || verb === 'CONNECT') yield { kind: verb.toLowerCase() as 'ping' }
    else throw new Error(`the client sent ${verb}`)
  }
}

/** A message to a client. */
export function messageBytes(
  subject: string,
  sid: string,
  reply: string | undefined,
  header: Buffer | undefined,
  data: Uint8Array,
): Buffer {
  const to = reply ? `${subject} ${sid} ${reply}` : `${subject} ${sid}`
  const line = header
    ? `HMSG ${to} ${header.length} ${header.length + data.length}\r\n`
    : `MSG ${to} ${data.length}\r\n`
  return Buffer.concat([Buffer.from(line, 'latin1'), ...(header ? [header] : []), data, CRLF])
}

const CRLF = Buffer.from('\r\n')

/** A header block with a status line and fields. */
export function headerBlock(status: string, fields: Record<string, string | number> = {}): Buffer {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`NATS/1.0${status === '' ? '' : ` ${status}`}\r\n${lines.join('')}\r\n`)
}

/** The value of a field of a header block. */
export function fieldOf(header: Buffer | undefined, name: string): string | undefined {
  if (!header) return undefined
  const at = header.indexOf(`\r\n${name}:`, 0, 'latin1')
  if (at < 0) return undefined
  const from = at + name.length + 3
  return header.toString('utf8', from, header.indexOf('\r\n', from, 'latin1')).trim()
}
