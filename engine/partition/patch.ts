import type { Packed } from './packed.js'

/**
 * What turns one state of a camera into its next: pieces of the old one, and bytes that are new. Most of a state stays
 * as it is from one message to the next, but moves.
 *
 *     (varint: new bytes; those bytes; varint: where the old piece begins; varint: its length)*
 *
 * The begin of a piece counts from where the one before ended, plus the new bytes between, times 2, plus 1 if it is
 * before that: 0 when bytes were replaced by as many.
 */

/** A piece is found by this many of its bytes. */
const SEED = 4
/** Shorter pieces cost more than they save. */
const LEAST = 6
const SLOTS = 4_096
const LOW = 128

/** By the hash of SEED bytes, where they are in the old state, from 1. */
const table = new Int32Array(SLOTS)
let bytes: number[] = []

/** @returns undefined when the new state itself is as short */
export function patchOf(old: Packed, next: Packed): Packed | undefined {
  table.fill(0)
  for (let i = 0; i + SEED <= old.length; i++) table[slotOf(old, i)] = i + 1
  bytes = []
  let written = 0
  let expected = 0
  for (let i = 0; i + SEED <= next.length; ) {
    let from = table[slotOf(next, i)]! - 1
    // What moved by as much as the bytes around it is not worth a look at other places.
    const straight = expected + i - written
    if (from !== straight && isAlike(old, straight, next, i, SEED)) from = straight
    if (from < 0 || !isAlike(old, from, next, i, SEED)) {
      i++
      continue
    }
    let begin = i
    while (begin > written && from > 0 && old.charCodeAt(from - 1) === next.charCodeAt(begin - 1)) {
      begin--
      from--
    }
    let end = i + SEED
    while (end < next.length && old.charCodeAt(from + end - begin) === next.charCodeAt(end)) end++
    if (end - begin < LEAST && end < next.length) {
      i++
      continue
    }
    write(next, written, begin, from - (expected + begin - written), end - begin)
    written = i = end
    expected = from + end - begin
  }
  if (written < next.length) write(next, written, next.length, 0, 0)
  return bytes.length < next.length ? Buffer.from(bytes).toString('latin1') : undefined
}

/** @throws RangeError when it is not a patch of this state */
export function patched(old: Packed, patch: Packed): Packed {
  const pieces: string[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= LOW) {
      const byte = patch.charCodeAt(at++)
      if (Number.isNaN(byte)) throw new RangeError('a patch was cut short')
      value += (byte % LOW) * scale
      if (byte < LOW) return value
    }
  }
  let expected = 0
  while (at < patch.length) {
    const fresh = varint()
    pieces.push(patch.slice(at, (at += fresh)))
    const step = varint()
    const from = expected + fresh + (step % 2 === 1 ? -(step - 1) / 2 : step / 2)
    const length = varint()
    if (length > 0 && (from < 0 || from + length > old.length)) throw new RangeError('a patch of another state')
    pieces.push(old.slice(from, from + length))
    expected = from + length
  }
  // Joined, the pieces are one string of their own; they do not keep the old state in memory.
  return pieces.join('')
}

function write(next: Packed, from: number, to: number, step: number, length: number): void {
  varint(to - from)
  for (let i = from; i < to; i++) bytes.push(next.charCodeAt(i))
  varint(step < 0 ? -2 * step + 1 : 2 * step)
  varint(length)
}

function varint(value: number): void {
  for (; value >= LOW; value = Math.floor(value / LOW)) bytes.push((value % LOW) + LOW)
  bytes.push(value)
}

function isAlike(old: Packed, from: number, next: Packed, at: number, length: number): boolean {
  if (from < 0 || from + length > old.length) return false
  for (let i = 0; i < length; i++) if (old.charCodeAt(from + i) !== next.charCodeAt(at + i)) return false
  return true
}

function slotOf(text: Packed, at: number): number {
  const word =
    text.charCodeAt(at) |
    (text.charCodeAt(at + 1) << 8) |
    (text.charCodeAt(at + 2) << 16) |
    (text.charCodeAt(at + 3) << 24)
  return Math.imul(word, 0x9e3779b1) >>> 20
}
