import { MAX_PICTURE_BYTES } from '../../../../../src/domain/limits.js'
import { cleanPicture } from '../../../../../src/domain/pictures/clean-picture.js'

/** Pixels on the longer side: sharp on every screen, and a few hundred kilobytes. */
const MAX_SIDE = 2_048
const MAX_FILE_BYTES = 60 * 1024 * 1024
const QUALITIES = [0.86, 0.7, 0.5]

export interface Prepared {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  readonly width: number
  readonly height: number
}

export type PictureFault = 'unreadable' | 'too-large'

/**
 * A file of the visitor's, drawn anew: upright, in sRGB and no larger than it has to be. What was about the image and
 * no part of it does not get onto the canvas; what the browser adds is removed.
 */
export async function preparePicture(file: File): Promise<Prepared | PictureFault> {
  if (file.size > MAX_FILE_BYTES) return 'too-large'
  const image = await createImageBitmap(file, { imageOrientation: 'from-image' }).catch(() => null)
  if (image === null) return 'unreadable'
  try {
    const scale = Math.min(1, MAX_SIDE / Math.max(image.width, image.height))
    const width = Math.max(1, Math.round(image.width * scale))
    const height = Math.max(1, Math.round(image.height * scale))
    // Drawings and screenshots stay sharp, and what is transparent stays so.
    const types = file.type === 'image/png' ? ['image/png', 'image/jpeg'] : ['image/jpeg']
    for (const type of types)
      for (const quality of type === 'image/jpeg' ? QUALITIES : [1]) {
        const drawn = await draw(image, { width, height, type, quality })
        if (drawn !== null && drawn.bytes.length <= MAX_PICTURE_BYTES) return drawn
      }
    return 'too-large'
  } finally {
    image.close()
  }
}

async function draw(
  image: ImageBitmap,
  { width, height, type, quality }: { width: number; height: number; type: string; quality: number },
): Promise<Prepared | null> {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const context = canvas.getContext('2d')
  if (context === null) return null
  if (type === 'image/jpeg') {
    context.fillStyle = '#fff'
    context.fillRect(0, 0, width, height)
  }
  context.imageSmoothingQuality = 'high'
  context.drawImage(image, 0, 0, width, height)
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, type, quality))
  if (blob === null) return null
  const cleaned = cleanPicture(new Uint8Array(await blob.arrayBuffer()))
  if (!cleaned.ok) return null
  const { picture } = cleaned
  return {
    bytes: new Uint8Array(picture.bytes),
    type: picture.type,
    width: picture.width,
    height: picture.height,
  }
}
