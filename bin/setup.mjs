// Sets Vendue up where it lies: `node bin/setup.mjs`, or with `run SCRIPT ...` after it, sets up and goes on.
// No static import and no new syntax here: this much must still run on the Nodes that it turns away.
const version = process.versions.node.split('.').map(Number)
if (version[0] < 20 || (version[0] === 20 && version[1] < 19)) {
  console.error(`Setting Vendue up needs Node 20.19 or later; this is ${process.version}`)
  process.exit(2)
}
import('./setup-main.mjs').then((setup) => setup.main(process.argv.slice(2)))
