// The colours, once: the style sheet and the charts read them from here, and a test measures their
// contrast. Ink on paper by day, celadon on ink by night; cinnabar is kept for what is over budget.

export type Theme = 'dark' | 'light'

export interface Palette {
  paper: string
  sheet: string
  wash: string
  rule: string
  edge: string
  ink: string
  soft: string
  celadon: string
  indigo: string
  ochre: string
  cinnabar: string
  violet: string
  stone: string
}

export const PALETTES: Record<Theme, Palette> = {
  dark: {
    paper: '#0d1513',
    sheet: '#13201c',
    wash: '#1d2e29',
    rule: '#263732',
    edge: '#4d635b',
    ink: '#eaf0ea',
    soft: '#a5b6ad',
    celadon: '#62c4b0',
    indigo: '#86aee3',
    ochre: '#dfb75f',
    cinnabar: '#f4866b',
    violet: '#bca5e6',
    stone: '#8fa199',
  },
  light: {
    paper: '#f6f4ec',
    sheet: '#fdfcf7',
    wash: '#e9e6da',
    rule: '#dcd8c9',
    edge: '#8d9288',
    ink: '#182521',
    soft: '#505d56',
    celadon: '#0f6f61',
    indigo: '#2b5a99',
    ochre: '#7d5906',
    cinnabar: '#ad3419',
    violet: '#63479c',
    stone: '#5d6862',
  },
}

/** Relative luminance contrast of two #rrggbb colours, 1 to 21 (WCAG 2). */
export function contrast(first: string, second: string): number {
  const [light, dark] = [luminance(first), luminance(second)].sort((a, b) => b - a)
  return (light! + 0.05) / (dark! + 0.05)
}

function luminance(colour: string): number {
  const channels = [1, 3, 5].map((from) => parseInt(colour.slice(from, from + 2), 16) / 255)
  const [r, g, b] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}
