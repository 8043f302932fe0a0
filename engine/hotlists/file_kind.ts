/**
 * Why the first bytes of a file are not those of a list, with what to do; undefined when they may be a text with
 * columns.
 */
export function notAList(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_024))
  const starts = (...values: number[]) => values.every((value, i) => head[i] === value)
  if (starts(0x50, 0x4b, 0x03, 0x04) || starts(0xd0, 0xcf, 0x11, 0xe0))
    return 'it is a workbook of Excel or a ZIP archive, not a text; save the list as "CSV UTF-8"'
  if (starts(0x1f, 0x8b)) return 'it is compressed (gzip); unpack it first'
  if (starts(0x25, 0x50, 0x44, 0x46)) return 'it is a PDF; export the list as CSV'
  const isUtf16 = starts(0xff, 0xfe) || starts(0xfe, 0xff)
  const text = head.toString(isUtf16 ? 'utf16le' : 'utf8').trimStart()
  if (/^\ufeff?\s*<(!doctype|html|head|body|\?xml|[a-z]+[ >])/i.test(text))
    return 'it is a page (HTML or XML), not a list: perhaps a sign-in page or an error of the server that it comes from'
  if (/^\ufeff?\s*(\{\s*"|\[\s*[{[\]"])/.test(text)) return 'it is JSON; export the list as CSV with a header line'
  return undefined
}
