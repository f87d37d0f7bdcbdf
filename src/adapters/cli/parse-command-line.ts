import yargs, { type Argv, type Options } from 'yargs'
import { nearest } from '../system/nearest.js'
import { Args } from './args.js'
import { type Command, nameOf, type OptionSpec } from './command.js'
import { UsageError } from './usage-error.js'

export type Parsed<C> =
  | { readonly kind: 'command'; readonly command: Command<C>; readonly args: Args }
  /** Help, version or completion: only to be printed. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'nothing'; readonly help: string }

export interface Grammar<C> {
  /** Before commands in the help: "vendue"; empty inside the client. */
  readonly scriptName: string
  readonly commands: readonly Command<C>[]
  /** Options of every command. */
  readonly options: Readonly<Record<string, OptionSpec>>
  readonly version: string
  readonly columns: number
  readonly epilogue?: string
  /** Name of the command that prints a shell's completion script. */
  readonly completion?: string
}

const MAX_HELP_COLUMNS = 110

/** Reads words into a command and its arguments. Rejects with `UsageError`, which names what is wrong. */
export async function parseCommandLine<C>(words: readonly string[], grammar: Grammar<C>): Promise<Parsed<C>> {
  let chosen: { command: Command<C>; values: Record<string, unknown> } | null = null
  let failure: { message: string; cause: unknown } | null = null
  const parser = makeParser(words, grammar, (command, values) => {
    chosen = { command, values }
  }).fail((message, cause) => {
    failure ??= { message: message || cause?.message || 'the command could not be read', cause }
  })
  const text = await new Promise<string>((resolve, reject) => {
    const done = (_error: unknown, _argv: unknown, output: string) => resolve(output)
    // The callback takes what would be printed; parsing stays in this process either way.
    Promise.resolve(parser.parse([...words], {}, done)).catch(reject)
  })
  // TypeScript cannot see that the callbacks have run.
  const found = chosen as { command: Command<C>; values: Record<string, unknown> } | null
  const failed = failure as { message: string; cause: unknown } | null
  if (failed) throw explainFailure(failed.message, words, grammar)
  if (found) {
    const names = positionalsOf(found.command)
    const args = new Args(found.values, { positionals: names.map(({ name }) => name), words })
    refuseRepeats(args, found.command, grammar)
    return { kind: 'command', command: found.command, args }
  }
  if (text !== '') return { kind: 'text', text }
  return { kind: 'nothing', help: await parser.getHelp() }
}

/** What could follow these words, for a shell or the client's prompt. */
export function completionsOf<C>(words: readonly string[], grammar: Grammar<C>): Promise<readonly string[]> {
  const parser = makeParser(words, grammar, () => {}).fail(() => {})
  return parser.getCompletion([...words])
}

function makeParser<C>(
  words: readonly string[],
  grammar: Grammar<C>,
  choose: (command: Command<C>, values: Record<string, unknown>) => void,
): Argv {
  const { scriptName, commands, options, version, columns, epilogue, completion } = grammar
  const parser = yargs([...words])
    .scriptName(scriptName)
    .detectLocale(false)
    .parserConfiguration({
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
    })
    .exitProcess(false)
    .showHelpOnFail(false)
    .strict()
    .usage(scriptName === '' ? 'Commands of the client' : `Usage: ${scriptName} COMMAND [OPTIONS]`)
    .options(optionsOf(options))
    .help('help')
    .alias('help', 'h')
    .version(version)
    .wrap(Math.min(MAX_HELP_COLUMNS, columns))
  if (epilogue) parser.epilogue(epilogue)
  if (completion) parser.completion(completion, 'Print a script that completes commands in your shell')
  for (const command of commands) {
    parser.command(
      command.usage,
      command.summary,
      (builder) => describeCommand(builder, command, scriptName),
      (values) => choose(command, values),
    )
  }
  return parser
}

function describeCommand<C>(builder: Argv, command: Command<C>, scriptName: string): void {
  const prefix = scriptName === '' ? '' : `${scriptName} `
  builder.usage(
    `Usage: ${prefix}${command.usage.replace(/[<[][a-z-]+/g, (word) => word.toUpperCase())}\n\n${command.summary}`,
  )
  for (const { name, many } of positionalsOf(command)) {
    const describe = command.positionals?.[name]
    builder.positional(name, { type: 'string', array: many, ...(describe === undefined ? {} : { describe }) })
  }
  builder.options(optionsOf(command.options ?? {}))
  for (const [example, meaning] of command.examples) builder.example(`${prefix}${example}`, meaning)
  if (command.notes) builder.epilogue(command.notes)
}

function optionsOf(specs: Readonly<Record<string, OptionSpec>>): Record<string, Options> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, { kind, describe, choices, required, group }]) => [
      name,
      {
        describe,
        ...(kind === 'flag' ? { type: 'boolean' } : { type: 'string', requiresArg: true }),
        ...(choices && { choices }),
        ...(required && { demandOption: true }),
        ...(group !== undefined && { group }),
      } satisfies Options,
    ]),
  )
}

interface Positional {
  readonly name: string
  readonly required: boolean
  readonly many: boolean
}

export function positionalsOf<C>({ usage }: Pick<Command<C>, 'usage'>): Positional[] {
  return [...usage.matchAll(/([<[])([a-z-]+)(\.\.)?[>\]]/g)].map(([, bracket, name = '', many]) => ({
    name,
    required: bracket === '<',
    many: many !== undefined,
  }))
}

function refuseRepeats<C>(args: Args, command: Command<C>, grammar: Grammar<C>): void {
  for (const [name, { kind }] of Object.entries({ ...grammar.options, ...command.options })) {
    if (args.list(name).length > 1) {
      const what = kind === 'flag' ? 'is given twice' : 'is given twice, with different meanings perhaps'
      throw new UsageError(`--${name} ${what}`, { field: name, next: 'give it once' })
    }
  }
}

/** The parser's complaint in words that name the option or argument as the user writes it. */
function explainFailure<C>(message: string, words: readonly string[], grammar: Grammar<C>): UsageError {
  const command = grammar.commands.find((candidate) => nameOf(candidate) === words[0])
  const prefix = grammar.scriptName === '' ? '' : `${grammar.scriptName} `
  const help = command
    ? `see \`${prefix}${helpOf(nameOf(command), prefix)}\``
    : `see \`${prefix}${prefix ? '--help' : 'help'}\``
  const unknown = /^Unknown (?:argument|command)s?: (.+)$/.exec(message)
  if (unknown) return unknownWord(unknown[1]?.split(', ')[0] ?? '', words, { grammar, command, help })
  const starved = /^Not enough arguments following: (\S+)$/.exec(message)
  if (starved) return new UsageError(`--${starved[1]} needs a value`, { field: starved[1] ?? '', next: help })
  const required = /^Missing required arguments?: (.+)$/.exec(message)
  if (required) {
    const names = (required[1] ?? '').split(', ')
    const verb = names.length === 1 ? 'is' : 'are'
    const shown = names.map((name) => `--${name}`).join(' and ')
    return new UsageError(`${shown} ${verb} missing`, { field: names[0] ?? '', next: help })
  }
  const few = /^Not enough non-option arguments: got (\d+), need at least (\d+)$/.exec(message)
  if (few) {
    const missing = (command ? positionalsOf(command) : []).filter(({ required }) => required)[Number(few[1])]
    return new UsageError(`${(missing?.name ?? 'argument').toUpperCase()} is missing`, {
      ...(missing && { field: missing.name }),
      next: help,
    })
  }
  const choice = /Argument: (\S+), Given: (.*), Choices: (.*)/s.exec(message)
  if (choice) {
    const [, name = '', given = '', choices = ''] = choice
    return new UsageError(`--${name} ${given} must be one of ${choices.replaceAll('"', '')}`, {
      field: name,
      next: help,
    })
  }
  return new UsageError(message.trim().replaceAll('\n', ' '), { next: help })
}

function helpOf(name: string, prefix: string): string {
  return prefix === '' ? `help ${name}` : `${name} --help`
}

function unknownWord<C>(
  word: string,
  words: readonly string[],
  { grammar, command, help }: { grammar: Grammar<C>; command: Command<C> | undefined; help: string },
): UsageError {
  const shown = word.slice(0, 80)
  if (!command) {
    const close = nearest(word, grammar.commands.map(nameOf))
    return new UsageError(`there is no command ${JSON.stringify(shown)}`, {
      next: close ? `did you mean "${close}"?` : help,
    })
  }
  const asOption = words.find(
    (candidate) => candidate.split('=')[0]?.replace(/^-+/, '') === word && candidate.startsWith('-'),
  )
  if (asOption === undefined) {
    return new UsageError(`${JSON.stringify(shown)} is one argument too many`, {
      next: `quote words that belong together, and ${help}`,
    })
  }
  const known = Object.keys({ ...grammar.options, ...command.options })
  const close = nearest(word, known)
  const option = asOption.split('=')[0]?.slice(0, 80) ?? ''
  return new UsageError(`${option} is not an option of "${nameOf(command)}"`, {
    field: word,
    next: close ? `did you mean --${close}?` : help,
  })
}
