import { createRegistry, type DescFile, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import { Code } from '@connectrpc/connect'
import type {
  ServerReflection,
  ServerReflectionRequest,
  ServerReflectionResponseSchema,
} from '../../../gen/grpc/reflection/v1/reflection_pb.js'

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>

/** Describes the services and their messages to tools that have no .proto files. */
export function reflectionService(
  files: readonly DescFile[],
  services: ReadonlySet<string>,
): ServiceImpl<typeof ServerReflection> {
  const known = new Map(files.flatMap(withDependencies).map((file) => [`${file.name}.proto`, file]))
  const registry = createRegistry(...known.values())
  const described = (file: DescFile | undefined, what: string): Answer => {
    if (file === undefined) return missing(what)
    const all = withDependencies(file).map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto))
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: all } }
  }
  const answerTo = ({ messageRequest: asked }: ServerReflectionRequest): Answer => {
    switch (asked.case) {
      case 'listServices':
        return { case: 'listServicesResponse', value: { service: [...services].map((name) => ({ name })) } }
      case 'fileByFilename':
        return described(known.get(asked.value), asked.value)
      case 'fileContainingSymbol':
        return described(fileOf(asked.value), asked.value)
      default:
        return missing(asked.case ?? 'nothing')
    }
  }
  // Also for symbols without an entry of their own: a method, a field, a value.
  const fileOf = (symbol: string): DescFile | undefined => {
    const found = registry.get(symbol)
    if (found !== undefined) return found.file
    const parent = symbol.slice(0, Math.max(0, symbol.lastIndexOf('.')))
    return parent === '' ? undefined : fileOf(parent)
  }
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests)
        yield { validHost: request.host, originalRequest: request, messageResponse: answerTo(request) }
    },
  }
}

function missing(what: string): Answer {
  const errorMessage = `there is no ${what.slice(0, 200)}`
  return { case: 'errorResponse', value: { errorCode: Code.NotFound, errorMessage } }
}

function withDependencies(file: DescFile): DescFile[] {
  return [...new Set([file, ...file.dependencies.flatMap(withDependencies)])]
}
