import { useEffect, useState } from 'preact/hooks'
import type { CropRef } from './protocol.js'

const urlOf = ({ segment, offset, length }: CropRef): string =>
  `api/crops/${encodeURIComponent(segment)}/${offset}/${length}`

/** A picture from the archive, or a placeholder if there is none (yet). */
export function ArchivePicture({
  crop,
  alt,
  kind,
}: {
  crop: CropRef | undefined
  alt: string
  kind: 'plate' | 'vehicle' | 'thumb'
}) {
  const url = crop && urlOf(crop)
  const [failed, setFailed] = useState(false)
  useEffect(() => setFailed(false), [url])
  if (!url || failed)
    return <span class={`picture picture-${kind} picture-none`}>{kind === 'thumb' ? '' : 'no picture'}</span>
  const image = <img src={url} alt={alt} loading="lazy" decoding="async" onError={() => setFailed(true)} />
  if (kind === 'thumb') return <span class="picture picture-thumb">{image}</span>
  return (
    <a class={`picture picture-${kind}`} href={url} target="_blank" rel="noreferrer">
      {image}
    </a>
  )
}
