import type { Dirent } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { kindOf, textKindOf } from '../../wasm/mod.js'
import { reasonOf } from '../errors.js'

/** Bytes from which a file's kind is known. */
const HEAD_BYTES = 4_096

/** Folders in which programs and devices keep thumbnails and copies; compared in lower case. */
const HELPER_FOLDERS = new Set(['@eadir', '__macosx', '$recycle.bin', 'system volume information', 'lost+found'])
const HELPER_FILES = new Set(['thumbs.db', 'desktop.ini', 'ehthumbs.db', 'picasa.ini'])

/** Names of files that are meant to be pictures, whatever is in them. */
const PICTURE_NAME = /^\.(jpe?g|jpe|jfif|jif|png|webp|tiff?|gif|avif|bmp|dib|hei[cf]|jp2|jxl|dng|nef|cr[23]|arw)$/i

/** Files of a folder that import leaves out, by the reason: the number, and the first of them. */
export class LeftOut {
  readonly #reasons = new Map<string, { files: number; first: string }>()

  add(reason: string, file: string): void {
    const known = this.#reasons.get(reason)
    if (known) known.files++
    else this.#reasons.set(reason, { files: 1, first: file })
  }

  /** Most files first. */
  get list(): { reason: string; files: number; first: string }[] {
    return [...this.#reasons].map(([reason, counts]) => ({ reason, ...counts })).sort((a, b) => b.files - a.files)
  }
}

/**
 * The pictures below a folder, as paths relative to it. A file is a picture by its content, or by its name when its
 * content is damaged. Hidden and helper folders, and what is no picture, are left out and counted.
 */
export async function pictureFiles(folder: string, leftOut: LeftOut): Promise<string[]> {
  const found: string[] = []
  const waiting = ['']
  for (let below: string | undefined; (below = waiting.pop()) !== undefined; ) {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name)
      if (isHelper(entry))
        leftOut.add(entry.isDirectory() ? 'a hidden or helper folder' : 'a hidden or helper file', path)
      else if (entry.isDirectory()) waiting.push(path)
      else {
        const reason = await notAPicture(join(folder, path))
        if (reason === undefined) found.push(path)
        else leftOut.add(reason, path)
      }
    }
  }
  return found
}

function isHelper(entry: Dirent): boolean {
  if (entry.name.startsWith('.')) return true
  return (entry.isDirectory() ? HELPER_FOLDERS : HELPER_FILES).has(entry.name.toLowerCase())
}

/** What a file is if it is no picture. */
async function notAPicture(path: string): Promise<string | undefined> {
  try {
    const head = await headOf(path)
    if (head.length === 0) return 'an empty file'
    const kind = kindOf(head)
    if (typeof kind === 'string') return undefined
    if (kind) return kind.what
    // bytes may stand before a picture
    return PICTURE_NAME.test(extname(path)) ? undefined : textKindOf(head).what
  } catch (error) {
    return `a file that cannot be opened (${reasonOf(error)})`
  }
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
