/** The value below which a share (0 to 1) of the samples lies. Sorts in place. */
export function percentile(samples: number[], share: number): number {
  samples.sort((a, b) => a - b)
  return samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? 0
}

/** Keeps `callers` calls under way until `total` have been made; milliseconds each took, and all together. */
export async function load(
  callers: number,
  total: number,
  call: (i: number) => Promise<void>,
): Promise<{ ms: number; samples: number[] }> {
  const samples: number[] = []
  let next = 0
  const caller = async () => {
    while (next < total) {
      const i = next++
      const startedAt = performance.now()
      await call(i)
      samples.push(performance.now() - startedAt)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: callers }, caller))
  return { ms: performance.now() - startedAt, samples }
}
