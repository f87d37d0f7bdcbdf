import { render } from 'preact'
import '../design/base.css'

render(<h1>Vendue</h1>, document.getElementById('app') as HTMLElement)
