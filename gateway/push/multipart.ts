/** One part of a multipart body; names are in lower case. */
export interface Part {
  headers: Record<string, string>
  /** `name` and `filename` of Content-Disposition, empty when there are none. */
  name: string
  filename: string
  /** Without parameters, in lower case. */
  type: string
  data: Buffer
}

/** Most parts of a body, and most bytes of the header of one. */
const kMaxParts = 64
const kMaxHeaderBytes = 8_192

/**
 * The parts of a body of type `multipart/*`, as cameras write it: with or without a preamble, the last delimiter, or a
 * Content-Disposition, with CR LF or LF alone. A part with a Content-Length that leads to a delimiter ends there, so
 * that a picture may contain the delimiter.
 * @throws RangeError in words for people: no boundary, no part, too many parts, a part without an end of its header
 */
export function parseMultipart(body: Buffer, contentType: string): Part[] {
  const boundary = parameterOf(contentType, 'boundary')
  if (!boundary || boundary.length > 200) throw new RangeError('the header Content-Type names no boundary')
  // Some cameras name a boundary that has the two dashes of its delimiter already.
  const delimiter = [`--${boundary}`, boundary].map((text) => Buffer.from(text, 'latin1')).find((d) => body.includes(d))
  if (!delimiter) throw new RangeError('the body does not contain the boundary')
  const parts: Part[] = []
  let at = body.indexOf(delimiter)
  while (at >= 0) {
    let from = at + delimiter.length
    if (body[from] === DASH && body[from + 1] === DASH) break
    from = skipLineEnd(body, from)
    if (from >= body.length) break
    const { headers, start } = readHeaders(body, from)
    const end = endOf(body, start, delimiter, headers['content-length'])
    if (parts.length === kMaxParts) throw new RangeError(`it has more than ${kMaxParts} parts`)
    const disposition = headers['content-disposition'] ?? ''
    parts.push({
      headers,
      name: parameterOf(disposition, 'name'),
      filename: parameterOf(disposition, 'filename'),
      type: (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase(),
      data: body.subarray(start, end.data),
    })
    at = end.next
  }
  if (parts.length === 0) throw new RangeError('it has no part')
  return parts
}

/** A parameter of a header value such as `multipart/form-data; boundary="x"`; empty when there is none. */
export function parameterOf(value: string, name: string): string {
  for (const piece of value.split(';').slice(1)) {
    const equals = piece.indexOf('=')
    if (equals < 0 || piece.slice(0, equals).trim().toLowerCase() !== name) continue
    const text = piece.slice(equals + 1).trim()
    return text.startsWith('"') ? text.slice(1).replace(/"[^"]*$/, '') : text
  }
  return ''
}

const [LF, CR, DASH] = [10, 13, 45]

function readHeaders(body: Buffer, from: number): { headers: Record<string, string>; start: number } {
  const headers: Record<string, string> = {}
  for (let at = from; at - from <= kMaxHeaderBytes; ) {
    const lineEnd = body.indexOf(LF, at)
    if (lineEnd < 0) break
    const line = body.toString('latin1', at, lineEnd).replace(/\r$/, '')
    at = lineEnd + 1
    if (line === '') return { headers, start: at }
    const colon = line.indexOf(':')
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim()
  }
  throw new RangeError(`the header of a part has no end within ${kMaxHeaderBytes} bytes`)
}

/** Where the data of a part ends and the next delimiter begins; -1 when there is none. */
function endOf(body: Buffer, start: number, delimiter: Buffer, length = ''): { data: number; next: number } {
  if (/^\d{1,9}$/.test(length)) {
    const data = start + Number(length)
    const next = skipLineEnd(body, data)
    if (data <= body.length && body.subarray(next, next + delimiter.length).equals(delimiter)) return { data, next }
  }
  // A delimiter begins a line.
  let next = body.indexOf(delimiter, start)
  while (next > start && body[next - 1] !== LF) next = body.indexOf(delimiter, next + 1)
  if (next < 0) return { data: body.length, next }
  const lf = next > start && body[next - 1] === LF ? 1 : 0
  const cr = lf && next - 1 > start && body[next - 2] === CR ? 1 : 0
  return { data: next - lf - cr, next }
}

function skipLineEnd(body: Buffer, at: number): number {
  const afterCr = body[at] === CR ? at + 1 : at
  return body[afterCr] === LF ? afterCr + 1 : afterCr
}
