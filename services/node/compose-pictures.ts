import { PictureFetcher } from '../../src/application/pictures/picture-fetcher.js'
import { PictureKeeper } from '../../src/application/pictures/picture-keeper.js'
import { Pictures } from '../../src/application/pictures/pictures.js'
import type { NodeServices } from './node-parts.js'

/** What lots look like. */
export function composePictures(services: NodeServices): void {
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory(
      'pictureFetcher',
      () =>
        new PictureFetcher({
          clock: parts.clock,
          logger: parts.logger,
          peerClient: parts.peerClient,
          peerTable: parts.peerTable,
          random: parts.random,
          timers: parts.timers,
        }),
    )
    .factory(
      'pictures',
      () =>
        new Pictures(
          {
            auctions: parts.auctions,
            budgets: parts.budgets,
            clock: parts.clock,
            logger: parts.logger,
            pictureFetcher: parts.pictureFetcher,
            pictureStore: parts.pictureStore,
          },
          nodeId(),
        ),
    )
    .factory(
      'pictureKeeper',
      () =>
        new PictureKeeper(
          {
            auctions: parts.auctions,
            budgets: parts.budgets,
            clock: parts.clock,
            eventLog: parts.eventLog,
            logger: parts.logger,
            pictures: parts.pictures,
            pictureStore: parts.pictureStore,
            timers: parts.timers,
          },
          nodeId(),
        ),
    )
}
