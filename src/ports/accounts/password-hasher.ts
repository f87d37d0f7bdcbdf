/** Slow hashes of passwords. Both calls may reject with an error of code `BUSY`: nothing was decided then. */
export interface PasswordHasher {
  /** A PHC string, with a salt of its own. */
  hash(password: string): Promise<string>
  /** `null` stands for an account that does not exist: takes as long as any, and is false. */
  verify(hash: string | null, password: string): Promise<boolean>
  /** The hash was made with other costs than new ones are. */
  isOutdated(hash: string): boolean
}
