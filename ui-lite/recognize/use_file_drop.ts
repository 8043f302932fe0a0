import { useEffect, useState } from 'preact/hooks'

/**
 * Takes files dropped or pasted anywhere on the page. Without this, a file dropped next to the drop zone would replace
 * the page. Returns whether something is being dragged over the page.
 */
export function useFileDrop(onFiles: (files: Iterable<File>) => void): boolean {
  const [dragging, setDragging] = useState(false)
  useEffect(() => {
    // Each element under the pointer sends its own enter and leave.
    let depth = 0
    const setDepth = (value: number) => {
      depth = value
      setDragging(depth > 0)
    }
    const listeners = new AbortController()
    const { signal } = listeners
    addEventListener('dragenter', () => setDepth(depth + 1), { signal })
    addEventListener('dragleave', () => setDepth(depth - 1), { signal })
    addEventListener('dragover', (event) => event.preventDefault(), { signal })
    addEventListener(
      'drop',
      (event) => {
        event.preventDefault()
        setDepth(0)
        onFiles(event.dataTransfer?.files ?? [])
      },
      { signal },
    )
    addEventListener('paste', (event) => onFiles(event.clipboardData?.files ?? []), { signal })
    return () => listeners.abort()
  }, [onFiles])
  return dragging
}
