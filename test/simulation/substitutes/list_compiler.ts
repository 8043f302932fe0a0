import type { Matcher } from '../../../wasm/mod.js'
import { EntryTable } from '../../../engine/hotlists/entry_table.js'
import type { CompiledEntries } from '../../../engine/hotlists/list_compiler.js'
import { contentVersion } from '../../../engine/runtime/content_version.js'

/** Compiles on the simulated process itself: a thread would run in real time. */
export class ListCompiler {
  constructor(private readonly matcher: Matcher) {}

  async compile(text: Uint8Array<ArrayBuffer>, version: string): Promise<CompiledEntries> {
    const found = contentVersion([text])
    if (found !== version) throw new Error(`its content has version ${found}, the record says ${version}`)
    const entries = EntryTable.of(text)
    return { entries, compiled: await this.matcher.compileList(entries) }
  }

  close(): void {}
}
