import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from '../../ports/system/metrics.js'

const RESOLUTION_MS = 10
const NANOSECONDS = 1e9

/** Measures the process itself. Call the returned function to stop. */
export function watchProcess(metrics: Metrics): () => void {
  const lag = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  lag.enable()
  // What is timed is an interval timer, which comes no sooner than the resolution.
  const late = (percentile: number) =>
    lag.count === 0 ? 0 : Math.max(0, lag.percentile(percentile) / NANOSECONDS - RESOLUTION_MS / 1_000)
  metrics.gauge('vendue_event_loop_lag_p50_seconds', 'Event loop delay since the last look.', () => late(50))
  metrics.gauge('vendue_event_loop_lag_p99_seconds', 'Event loop delay since the last look.', () => {
    const value = late(99)
    lag.reset()
    return value
  })
  metrics.gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  metrics.gauge('process_heap_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed)
  metrics.gauge('process_uptime_seconds', 'Since the process started.', () => process.uptime())
  metrics.gauge('process_cpu_seconds', 'Processor time of all threads.', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  return () => lag.disable()
}
