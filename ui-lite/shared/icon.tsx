/** Icons in the colour of the surrounding text. Each accompanies a word, so screen readers skip them. */
const PATHS = {
  high: 'M8 1 15.5 14.5H.5zM8 5.5v4.2M8 11.6v1.2',
  medium: 'M8 .8 15.2 8 8 15.2.8 8zM8 4.6v4M8 10.3v1.2',
  low: 'M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2zM4.8 8h6.4',
  informational: 'M2 2h12v12H2zM8 7.2v4.3M8 4.3v1.2',
  tick: 'M2.5 8.6 6.3 12.4 13.5 4',
  near: 'M1.8 6.2c2-2.4 4-2.4 6.2-.6s4.2 1.8 6.2-.6M1.8 11.2c2-2.4 4-2.4 6.2-.6s4.2 1.8 6.2-.6',
  camera: 'M1 4.5h9.5v7H1zM10.5 7.3 15 5v6l-4.5-2.3',
  clock: 'M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2zM8 4.3V8l2.7 1.8',
  list: 'M5 3.5h9.5M5 8h9.5M5 12.5h9.5M1.5 3.5h.8M1.5 8h.8M1.5 12.5h.8',
  arrow: 'M8 14V2.5M3.2 7.3 8 2.5l4.8 4.8',
  withdrawn: 'M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2zM3.3 3.3l9.4 9.4',
  pause: 'M4.8 2.5v11M11.2 2.5v11',
  play: 'M4 2.2 13 8l-9 5.8z',
  warning: 'M8 1 15.5 14.5H.5zM8 5.5v4.2M8 11.6v1.2',
  link: 'M2 8.5a9 9 0 0 1 12 0M4.6 11.2a5.2 5.2 0 0 1 6.8 0M8 13.9v.1',
  keyboard: 'M.8 4h14.4v8.5H.8zM3.5 6.7h.6M6.5 6.7h.6M9.5 6.7h.6M12.3 6.7h.6M4.5 9.8h7',
  sun:
    'M8 4.8a3.2 3.2 0 1 1 0 6.4 3.2 3.2 0 0 1 0-6.4zM8 .8v1.7M8 13.5v1.7M.8 8h1.7M13.5 8h1.7' +
    'M2.9 2.9l1.2 1.2M11.9 11.9l1.2 1.2M13.1 2.9l-1.2 1.2M4.1 11.9l-1.2 1.2',
  picture: 'M1.5 2.5h13v11h-13zM1.5 11l3.8-3.8 3 3 2.4-2.4 3.8 3.8M10.6 5.6h.1',
  exit: 'M6.5 2H2v12h4.5M6 8h8.5M11 4.5 14.5 8 11 11.5',
} as const

export type IconName = keyof typeof PATHS

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
