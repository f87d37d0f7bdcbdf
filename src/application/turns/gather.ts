/**
 * How many microtask turns a batch is held open. Callers who were answered together ask again some turns apart, as
 * many as there are async functions between them and here; without this the first of them would travel alone.
 */
const TURNS = 32

/** Lets what is about to happen in this turn of the event loop happen first. Takes microseconds, and no timer. */
export async function gather(turns = TURNS): Promise<void> {
  for (let i = 0; i < turns; i++) await Promise.resolve()
}
