/** Unpredictable bytes, for ids and salts. Simulations seed it. */
export interface Random {
  bytes(count: number): Uint8Array
}
