import { EntryTable } from '../../../engine/hotlists/entry_table.js'
import type { CompiledEntries } from '../../../engine/hotlists/list_compiler.js'
import { sleep } from '../../../engine/runtime/backoff.js'
import { contentVersion } from '../../../engine/runtime/content_version.js'
import type { Matcher } from '../../../wasm/mod.js'
import { world } from '../current.js'

/** Compiles hot lists without a thread, as fast as the seed says. */
export class ListCompiler {
  private closed = false

  constructor(private readonly matcher: Matcher) {}

  /** @throws Error naming what is wrong with the text */
  async compile(text: Uint8Array<ArrayBuffer>, version: string): Promise<CompiledEntries> {
    await sleep(world().random.engines.delay(20))
    if (this.closed) throw new Error('the engine is closing')
    const found = contentVersion([text])
    if (found !== version) throw new Error(`its content has version ${found}, the record says ${version}`)
    const entries = EntryTable.of(text)
    const list = this.matcher.shareList(await this.matcher.compileList(entries))
    return { entries, compiled: this.matcher.openList(list, entries) }
  }

  close(): void {
    this.closed = true
  }
}
