import { lchownSync, lstatSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Whose files something is: numeric ids. */
export interface Owner {
  uid: number
  gid: number
}

/**
 * Who shall own a data folder that root fills: the owner of the folder, or of the nearest one above it that exists.
 * @returns undefined unless this process is root and the owner is not
 */
export function ownerFor(folder: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (let place = resolve(folder); ; place = dirname(place)) {
    const found = statSync(place, { throwIfNoEntry: false })
    if (found) return found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid }
    if (place === dirname(place)) return undefined
  }
}

/** Gives a folder and all in it to its owner. Links are given, not followed. */
export function giveFolder(folder: string, { uid, gid }: Owner): void {
  lchownSync(folder, uid, gid)
  if (!lstatSync(folder).isDirectory()) return
  for (const name of readdirSync(folder)) giveFolder(join(folder, name), { uid, gid })
}
