/** Beside the sources, not beside what is built of them. */
export const VECTORS_DIR = 'test/vectors'

/** One vector a line, so that a change shows which ones it touches. */
export function vectorText(vectors: readonly object[]): string {
  return `[\n${vectors.map((vector) => JSON.stringify(vector)).join(',\n')}\n]\n`
}
