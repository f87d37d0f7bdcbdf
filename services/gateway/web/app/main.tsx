import { render } from 'preact'
import { App } from './app.js'
import { resumeBids } from './state/bidding.js'
import { startCatalogue } from './state/catalogue.js'
import { startClock } from './state/clock.js'
import { preferredLanguage, speak } from './state/language.js'
import { startReach } from './state/reach.js'
import { startSession } from './state/session.js'
import { followTheme } from './state/theme.js'
import '../design/base.css'

followTheme()
startClock()
startReach()
startCatalogue()
void speak(preferredLanguage())
  .then(() => render(<App />, document.getElementById('app') as HTMLElement))
  .then(startSession)
  .then(resumeBids)
