import { runConsumerThread } from '../consumers/consumer-thread.js'
import { analyticsService } from './analytics-service.js'

// The thread on which a node's statistics are computed and read.
runConsumerThread(analyticsService)
