import { open } from 'node:fs/promises'

/** Makes the names of new files durable: the sync of a file does not include its name. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
