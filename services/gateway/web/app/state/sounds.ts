import { signal } from '@preact/signals'
import type { Cue } from '../../model/notices.js'
import { kept } from './kept.js'

type Note = readonly [hertz: number, atSeconds: number, forSeconds: number]

/** Down, twice the same, and up: recognisable without looking, and without a file. */
const CUES: Readonly<Record<Cue, readonly Note[]>> = {
  outbid: [
    [659, 0, 0.14],
    [440, 0.15, 0.26],
  ],
  extended: [
    [523, 0, 0.1],
    [523, 0.16, 0.1],
  ],
  won: [
    [523, 0, 0.12],
    [659, 0.13, 0.12],
    [784, 0.26, 0.36],
  ],
}
export const CUE_NAMES = Object.keys(CUES) as Cue[]
const LOUDNESS = 0.12

/** Off, until somebody turns them on. */
export const hasSounds = signal(kept.get('sounds') === 'on')
let context: AudioContext | null = null

export function turnSounds(on: boolean): void {
  hasSounds.value = on
  kept.set('sounds', on ? 'on' : null)
}

/** Browsers let a page sound only once somebody has touched it. */
export function startSounds(): void {
  const unlock = () => {
    if (hasSounds.peek()) void ready()?.resume()
  }
  addEventListener('pointerdown', unlock)
  addEventListener('keydown', unlock)
}

export function play(cue: Cue): void {
  const audio = ready()
  if (!audio) return
  void audio.resume().catch(() => undefined)
  for (const [hertz, at, length] of CUES[cue]) {
    const begin = audio.currentTime + at
    const tone = audio.createOscillator()
    const loudness = audio.createGain()
    tone.frequency.value = hertz
    // Begun and ended softly: a sudden edge is heard as a click.
    loudness.gain.setValueAtTime(0, begin)
    loudness.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.015)
    loudness.gain.exponentialRampToValueAtTime(0.0001, begin + length)
    tone.connect(loudness).connect(audio.destination)
    tone.start(begin)
    tone.stop(begin + length)
  }
}

function ready(): AudioContext | null {
  if (typeof AudioContext === 'undefined') return null
  context ??= new AudioContext()
  return context
}
