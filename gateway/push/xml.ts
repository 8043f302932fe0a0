import { SaxesParser } from 'saxes'

/** An element; its name has no prefix. */
export interface Element {
  name: string
  text: string
  attributes: Record<string, string>
  children: Element[]
}

const MAX_BYTES = 1_048_576
const MAX_DEPTH = 32
const MAX_ELEMENTS = 10_000

/**
 * The tree of an XML document. A document type is refused, and with it every entity but the five of XML: none can grow,
 * and none can name a file.
 * @throws RangeError in words for people
 */
export function parseXml(data: Buffer): Element {
  if (data.length > MAX_BYTES) throw new RangeError(`the XML has ${data.length} bytes, the limit is ${MAX_BYTES}`)
  const root: Element = { name: '', text: '', attributes: {}, children: [] }
  const path = [root]
  let count = 0
  const parser = new SaxesParser({ position: false })
  const fail = (reason: string): never => {
    throw new RangeError(reason)
  }
  parser.on('error', () => fail('it is no well-formed XML'))
  parser.on('doctype', () => fail('the XML has a document type, which is not taken: entities could grow without end'))
  parser.on('opentag', ({ name, attributes }) => {
    if (path.length > MAX_DEPTH) fail(`the XML has more than ${MAX_DEPTH} levels`)
    if (++count > MAX_ELEMENTS) fail(`the XML has more than ${MAX_ELEMENTS} elements`)
    const own = Object.entries(attributes).map(([key, value]) => [localName(key), String(value)] as const)
    const element: Element = { name: localName(name), text: '', attributes: Object.fromEntries(own), children: [] }
    path.at(-1)!.children.push(element)
    path.push(element)
  })
  const take = (text: string) => {
    path.at(-1)!.text += text
  }
  parser.on('text', take)
  parser.on('cdata', take)
  parser.on('closetag', () => {
    path.pop()
  })
  // A byte order mark is no part of the document; blanks before the declaration are a habit of cameras.
  parser.write(data.toString('utf8').replace(/^[\uFEFF\s]+/, ''))
  parser.close()
  return root.children[0] ?? fail('the XML has no element')
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1)

/** The first element that a path of names leads to, from the children of `from` on. */
export function find(from: Element | undefined, ...names: string[]): Element | undefined {
  let at = from
  for (const name of names) at = at?.children.find((child) => child.name === name)
  return at
}

/** The first element of this name anywhere below. */
export function findAnywhere(from: Element | undefined, name: string): Element | undefined {
  for (const child of from?.children ?? []) {
    const found = child.name === name ? child : findAnywhere(child, name)
    if (found) return found
  }
  return undefined
}

/** Its text without blanks around it; undefined when there is none. */
export const textOf = (element: Element | undefined): string | undefined => element?.text.trim() || undefined
