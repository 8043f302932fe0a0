import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until `condition` returns true. @throws when it does not within `ms` */
export async function until(condition: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  const deadline = Date.now() + ms
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`the condition was not met within ${ms} ms`)
    await sleep(20)
  }
}
