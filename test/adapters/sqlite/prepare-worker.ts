import { parentPort, workerData } from 'node:worker_threads'
import { prepareDirectory } from '../../../src/adapters/sqlite/open-store.js'

// Makes one directory after another, each at the very moment at which other threads make it too.

/** `arrived` counts the threads at each directory. */
const { paths, arrived, threads } = workerData as { paths: string[]; arrived: SharedArrayBuffer; threads: number }
const counts = new Int32Array(arrived)
const failures: string[] = []
for (const [round, path] of paths.entries()) {
  Atomics.add(counts, round, 1)
  while (Atomics.load(counts, round) < threads);
  try {
    prepareDirectory(path)
  } catch (error) {
    failures.push((error as { code: string }).code)
  }
}
parentPort?.postMessage(failures)
