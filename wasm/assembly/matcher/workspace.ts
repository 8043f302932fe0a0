/** Address of this instance's workspace (drawing in layout.ts); the host gives each instance its own. */
export let workspace: usize = 0

export function setWorkspace(address: usize): void {
  workspace = address
}
