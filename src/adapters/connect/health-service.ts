import type { ServiceImpl } from '@connectrpc/connect'
import { Code, ConnectError } from '@connectrpc/connect'
import { type Health, HealthCheckResponse_ServingStatus as Status } from '../../../gen/grpc/health/v1/health_pb.js'
import type { NodeApi } from '../../ports/node/node-api.js'

/** Health checks for gRPC's tools: serving means that the node answers and the gateway is not stopping. */
export function healthService({
  api,
  services,
  stopping,
}: {
  readonly api: Pick<NodeApi, 'status'>
  readonly services: ReadonlySet<string>
  /** Aborted when the gateway stops. */
  readonly stopping: AbortSignal
}): ServiceImpl<typeof Health> {
  const statusNow = async () => {
    if (stopping.aborted) return Status.NOT_SERVING
    return api.status().then(
      () => Status.SERVING,
      () => Status.NOT_SERVING,
    )
  }
  return {
    async check({ service }) {
      if (service === '' || services.has(service)) return { status: await statusNow() }
      throw new ConnectError(`there is no service ${service}`, Code.NotFound)
    },

    async *watch({ service }, { signal }) {
      if (service !== '' && !services.has(service)) {
        yield { status: Status.SERVICE_UNKNOWN }
        return
      }
      yield { status: await statusNow() }
      const either = AbortSignal.any([signal, stopping])
      if (!either.aborted) await new Promise((resolve) => either.addEventListener('abort', resolve, { once: true }))
      if (!signal.aborted) yield { status: Status.NOT_SERVING }
    },
  }
}
