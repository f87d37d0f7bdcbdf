/**
 * Makes this process a part of a benchmark: it says "ready", and answers what its parent asks for. A request that fails
 * ends it, and so does its parent's end.
 */
export function serveParent<Request>(work: (request: Request) => Promise<unknown>): void {
  process.on('message', (request: Request) => {
    work(request).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => process.exit(0))
  process.send?.('ready')
}
