import { render } from 'preact'
import { App } from './app.js'
import { resumeBids } from './state/bidding.js'
import { startCatalogue } from './state/catalogue.js'
import { startClock } from './state/clock.js'
import { preferredLanguage, speak } from './state/language.js'
import { startLastKnown } from './state/last-known.js'
import { startMaxima } from './state/maxima.js'
import { startNotices } from './state/notices.js'
import { startReach } from './state/reach.js'
import { startServiceWorker } from './state/service-worker.js'
import { startSession } from './state/session.js'
import { startStaleness } from './state/staleness.js'
import { followTheme } from './state/theme.js'
import '../design/base.css'

followTheme()
startClock()
startReach()
startCatalogue()
startLastKnown()
startStaleness()
startNotices()
startMaxima()
void speak(preferredLanguage())
  .then(() => render(<App />, document.getElementById('app') as HTMLElement))
  .then(startSession)
  .then(resumeBids)
if (document.readyState === 'complete') startServiceWorker()
else addEventListener('load', startServiceWorker)
