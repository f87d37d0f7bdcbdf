import { signal } from '@preact/signals'
import { RequestRefused, type VendueClient } from 'vendue/client'
import { MAX_PICTURES } from '../../../../../src/domain/limits.js'
import type { PictureFault, Prepared } from '../parts/prepare-picture.js'

/** A picture of a lot that is being written, on the visitor's machine alone. */
export interface PictureDraft {
  readonly id: number
  readonly name: string
  readonly alt: string
  /** Null while the browser works at it. */
  readonly prepared: Prepared | PictureFault | null
  /** Of the prepared bytes, for showing them. */
  readonly url: string | null
  /** At the gateway. */
  readonly hash: string | null
}

/** The pictures of one sale. */
export class PictureDrafts {
  readonly all = signal<readonly PictureDraft[]>([])
  /** So many did not fit. */
  readonly refused = signal(0)
  #ids = 0
  #isOpen = true

  async add(files: readonly File[]): Promise<void> {
    const room = MAX_PICTURES - this.all.value.length
    this.refused.value = Math.max(0, files.length - room)
    const drafts = files.slice(0, Math.max(0, room)).map((file) => ({ file, id: ++this.#ids }))
    this.all.value = [
      ...this.all.value,
      ...drafts.map(({ file, id }) => ({
        id,
        name: file.name,
        alt: '',
        prepared: null,
        url: null,
        hash: null,
      })),
    ]
    const { preparePicture } = await import('../parts/prepare-picture.js')
    // One after the other: each is unpacked in memory.
    for (const { file, id } of drafts) {
      const prepared = await preparePicture(file)
      if (!this.#isOpen) return
      const url =
        typeof prepared === 'string' ? null : URL.createObjectURL(new Blob([prepared.bytes], { type: prepared.type }))
      this.#set(id, { prepared, url })
    }
  }

  describe(id: number, alt: string): void {
    this.#set(id, { alt })
  }

  remove(id: number): void {
    const gone = this.all.value.find((draft) => draft.id === id)
    if (gone?.url) URL.revokeObjectURL(gone.url)
    this.all.value = this.all.value.filter((draft) => draft.id !== id)
    this.refused.value = 0
  }

  move(id: number, by: -1 | 1): void {
    const drafts = [...this.all.value]
    const from = drafts.findIndex((draft) => draft.id === id)
    const to = from + by
    const draft = drafts[from]
    const other = drafts[to]
    if (!draft || !other) return
    drafts[from] = other
    drafts[to] = draft
    this.all.value = drafts
  }

  get isReady(): boolean {
    return this.all.value.every(({ prepared }) => prepared !== null && typeof prepared !== 'string')
  }

  /**
   * Sends those that the gateway does not have; resolves with what the terms say of them. Rejects with a `ClientError`.
   */
  async send(client: VendueClient): Promise<{ hash: string; alt?: string }[]> {
    for (const { id, prepared, hash } of this.all.value) {
      if (hash !== null || prepared === null || typeof prepared === 'string') continue
      const added = await client.addPicture(prepared.bytes)
      this.#set(id, { hash: added.hash })
    }
    return this.all.value.flatMap(({ hash, alt }) =>
      hash === null ? [] : [{ hash, ...(alt.trim() !== '' && { alt: alt.trim() }) }],
    )
  }

  /** Another gateway may serve by now, which has not got them: they are sent again. */
  forgetsAfter(error: unknown): boolean {
    if (!(error instanceof RequestRefused) || error.code !== 'PICTURE_NOT_FOUND') return false
    this.all.value = this.all.value.map((draft) => ({ ...draft, hash: null }))
    return true
  }

  close(): void {
    this.#isOpen = false
    for (const { url } of this.all.value) if (url) URL.revokeObjectURL(url)
  }

  #set(id: number, change: Partial<PictureDraft>): void {
    this.all.value = this.all.value.map((draft) => (draft.id === id ? { ...draft, ...change } : draft))
  }
}
