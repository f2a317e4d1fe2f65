/** Waits between attempts: 1, 2, 4 … 30 seconds. A page on a wall must come back by itself. */
export function waitMs(failures: number): number {
  return Math.min(1000 * 2 ** Math.max(0, failures - 1), 30_000)
}
