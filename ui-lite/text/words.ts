import type { HitMessage } from '../../gateway/live/protocol.js'

export const PRIORITY: Record<HitMessage['priority'], string> = {
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  informational: 'Informational',
}

export const DIRECTION: Record<string, string> = {
  approaching: 'towards the camera',
  leaving: 'away from the camera',
  still: 'standing',
}

/** `north-east`, of degrees clockwise from north. */
export function compass(degrees: number): string {
  const names = ['north', 'north-east', 'east', 'south-east', 'south', 'south-west', 'west', 'north-west']
  return names[Math.round((((degrees % 360) + 360) % 360) / 45) % 8]!
}

/** Whole per cent, but never 100 for what is not certain, nor 0 for what is possible. */
export function percent(probability: number): string {
  if (probability >= 1) return '100 %'
  if (probability <= 0) return '0 %'
  return `${Math.min(99, Math.max(1, Math.round(probability * 100)))} %`
}

export const rate = (perSecond: number): string =>
  perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond))

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
