/** Loaded before a program, says at its end how much memory it took at most. */
process.on('exit', () => {
  process.stderr.write(`peak rss ${process.resourceUsage().maxRSS} kB\n`)
})
