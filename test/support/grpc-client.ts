import {
  type CallOptions,
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import { load } from '@grpc/proto-loader'
import protobuf from 'protobufjs'

/* Neither the messages nor the calls are made by code of ours, or of the library that answers. */

// biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
export type Message = Record<string, any>
type Method = (
  request: Message,
  metadata: Metadata,
  options: CallOptions,
  done: (error: unknown, answer: Message) => void,
) => void

const LOADING = { keepCase: true, longs: Number, enums: String, includeDirs: ['proto'] }

export interface Refused {
  readonly status: number
  readonly message: string
  readonly detail: Message
}

/** A client of a gateway that is not this project's own. */
export class GrpcClient {
  readonly client: Client & Record<string, unknown>
  readonly #metadata: Metadata

  private constructor(client: Client & Record<string, unknown>, headers: Readonly<Record<string, string>>) {
    this.client = client
    this.#metadata = new Metadata()
    for (const [name, value] of Object.entries(headers)) this.#metadata.set(name, value)
  }

  static async of(
    url: string,
    headers: Readonly<Record<string, string>> = {},
    { file = 'vendue/v1/auctions.proto', service = 'vendue.v1.AuctionService' } = {},
  ): Promise<GrpcClient> {
    const found = service
      .split('.')
      .reduce<Message>((at, name) => at[name], loadPackageDefinition(await load(file, LOADING)))
    const Service = found as unknown as new (address: string, how: unknown) => Client & Record<string, unknown>
    return new GrpcClient(new Service(new URL(url).host, credentials.createInsecure()), headers)
  }

  call(method: string, request: Message = {}, options: CallOptions = {}): Promise<Message> {
    return new Promise((resolve, reject) => {
      const send = this.client[method] as Method
      send.call(this.client, request, this.#metadata, options, (error, answer) => {
        if (error) reject(error as Error)
        else resolve(answer)
      })
    })
  }

  stream(method: string, request: Message = {}): ClientReadableStream<Message> {
    const send = this.client[method] as (request: Message, metadata: Metadata) => ClientReadableStream<Message>
    return send.call(this.client, request, this.#metadata)
  }

  /** What a refused call was answered. */
  async refusal(method: string, request: Message = {}, options: CallOptions = {}): Promise<Refused> {
    return this.call(method, request, options).then(
      (answer) => {
        throw new Error(`expected a refusal, got ${JSON.stringify(answer)}`)
      },
      (error: unknown) => refusedBy(error),
    )
  }

  close(): void {
    this.client.close()
  }
}

const root = await protobuf.load(['proto/vendue/v1/auctions.proto'])
const detailType = root.lookupType('vendue.v1.ErrorDetail')
const statusType = protobuf
  .parse(
    'syntax = "proto3"; message Any { string type_url = 1; bytes value = 2; } message Status { int32 code = 1; string message = 2; repeated Any details = 3; }',
  )
  .root.lookupType('Status')

export function refusedBy(error: unknown): Refused {
  const { code, details, metadata } = error as ServiceError
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? []
  const status = bytes === undefined ? null : (statusType.decode(bytes as Buffer).toJSON() as Message)
  const [detail] = (status?.details ?? []) as Message[]
  const value = detail && detailType.decode(Buffer.from(String(detail.value), 'base64')).toJSON()
  // This client takes no commas back.
  return { status: code, message: decodeURIComponent(details), detail: value ?? {} }
}
