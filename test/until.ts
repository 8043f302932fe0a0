import { setTimeout as wait } from 'node:timers/promises'

/** Waits until `good` says yes. @throws when it does not within `ms` */
export async function until(good: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await good())) {
    if (Date.now() > deadline) throw new Error(`waited ${ms} ms in vain`)
    await wait(20)
  }
}
