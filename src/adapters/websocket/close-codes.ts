/** Close codes of ours, beside those of RFC 6455. */
export const CLOSE = {
  going: 1001,
  policy: 1008,
  tooBig: 1009,
  restart: 1012,
  notFound: 4404,
  slowReader: 4408,
} as const
