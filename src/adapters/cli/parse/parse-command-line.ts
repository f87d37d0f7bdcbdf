/** Room `cli/parse`: from what was typed to a command with its options. */

import yargs, { type Argv, type Options } from 'yargs'
import { nearest } from '../../system/nearest.js'
import { Args } from './args.js'
import { type Command, nameOf, type OptionSpec } from './command.js'
import { completeWords } from './complete-words.js'
import { positionalsOf } from './positionals.js'
import { UsageError } from './usage-error.js'

export type Parsed<C> =
  | { readonly kind: 'command'; readonly command: Command<C>; readonly args: Args }
  /** Help, version or completion: text to print. */
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
/** The option by which the completion script asks what could follow. */
const COMPLETION_KEY = '--get-yargs-completions'

/** Reads words into a command and its arguments. Rejects with `UsageError`, which names what is wrong. */
export async function parseCommandLine<C>(words: readonly string[], grammar: Grammar<C>): Promise<Parsed<C>> {
  const completing = words.indexOf(COMPLETION_KEY)
  if (grammar.completion && completing >= 0) {
    // The script passes the program's name first, and the word that is being typed last.
    const typed = words.slice(completing + 2)
    const { candidates } = completeWords(typed.slice(0, -1), typed.at(-1) ?? '', grammar)
    return { kind: 'text', text: candidates.join('\n') }
  }
  refuseUnknownOptions(words, grammar)
  const { hidden, reveal } = hideLiteralWords(words)
  const { chosen, failure, text, help } = await parse(hidden, grammar)
  if (grammar.completion && words[0] === grammar.completion && text !== '') return { kind: 'text', text }
  if (failure !== null) throw explainFailure(reveal(failure), words, grammar)
  if (chosen) {
    const positionals = positionalsOf(chosen.command).map(({ name }) => name)
    const values = Object.fromEntries(
      Object.entries(chosen.values).map(([name, value]) => [
        name,
        Array.isArray(value)
          ? value.map((item) => reveal(String(item)))
          : typeof value === 'string'
            ? reveal(value)
            : value,
      ]),
    )
    const args = new Args(values, { positionals, words })
    refuseRepeats(args, chosen.command, grammar)
    return { kind: 'command', command: chosen.command, args }
  }
  return text === '' ? { kind: 'nothing', help } : { kind: 'text', text }
}

interface RawParse<C> {
  readonly chosen: { readonly command: Command<C>; readonly values: Record<string, unknown> } | null
  readonly failure: string | null
  readonly text: string
  readonly help: string
}

async function parse<C>(words: readonly string[], grammar: Grammar<C>): Promise<RawParse<C>> {
  const seen: { chosen: RawParse<C>['chosen']; failure: string | null } = { chosen: null, failure: null }
  const parser = makeParser(words, grammar, (command, values) => {
    seen.chosen = { command, values }
  }).fail((message, cause) => {
    seen.failure ??= message || cause?.message || 'the command could not be read'
  })
  const text = await new Promise<string>((resolve, reject) => {
    const done = (_error: unknown, _argv: unknown, output: string) => resolve(output)
    // The callback takes what would be printed; parsing stays in this process either way.
    Promise.resolve(parser.parse([...words], {}, done)).catch(reject)
  })
  const isNothing = seen.chosen === null && seen.failure === null && text === ''
  return { ...seen, text, help: isNothing ? await parser.getHelp() : '' }
}

/**
 * Words after "--" are arguments as they stand, dashes and all. yargs would not count them as positional, so they go
 * through it under names that cannot be mistaken for options.
 */
function hideLiteralWords(words: readonly string[]): {
  hidden: string[]
  reveal: (text: string) => string
} {
  const end = words.indexOf('--')
  if (end < 0) return { hidden: [...words], reveal: (text) => text }
  const literal = words.slice(end + 1)
  const hidden = [...words.slice(0, end), ...literal.map((_, i) => `${LITERAL}${i}${LITERAL}`)]
  const reveal = (text: string) => text.replace(LITERALS, (whole, index: string) => literal[Number(index)] ?? whole)
  return { hidden, reveal }
}

/** A character of a private use area: in nobody's titles. */
const LITERAL = '\ue07f'
const LITERALS = new RegExp(`${LITERAL}(\\d+)${LITERAL}`, 'g')

function makeParser<C>(
  words: readonly string[],
  grammar: Grammar<C>,
  choose: (command: Command<C>, values: Record<string, unknown>) => void,
): Argv {
  const { scriptName, commands, options, version, columns, epilogue, completion } = grammar
  const parser = yargs([...words])
    .scriptName(scriptName)
    .detectLocale(false)
    // Its types know of plain texts alone, and not of those that count.
    .updateStrings(COMPLAINTS as unknown as Record<string, string>)
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
    `Usage: ${prefix}${command.usage.replace(/[<[][a-z-]+/g, (word) => word.toUpperCase()).replaceAll(/[<>]/g, '')}\n\n${command.summary}`,
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
    Object.entries(specs).map(([name, { kind, describe, required, group }]) => [
      name,
      {
        describe,
        ...(kind === 'flag' ? { type: 'boolean' } : { type: 'string', requiresArg: true }),
        ...(required && { demandOption: true }),
        ...(group !== undefined && { group }),
      } satisfies Options,
    ]),
  )
}

function refuseRepeats<C>(args: Args, command: Command<C>, grammar: Grammar<C>): void {
  for (const [name, { many }] of Object.entries({ ...grammar.options, ...command.options })) {
    if (!many && args.list(name).length > 1) {
      throw new UsageError(`--${name} is given more than once`, { field: name, next: 'give it once' })
    }
  }
}

/** A misspelt option is often the cause of other complaints, so it is reported first. */
function refuseUnknownOptions<C>(words: readonly string[], grammar: Grammar<C>): void {
  const command = grammar.commands.find((candidate) => nameOf(candidate) === words[0])
  if (!command) return
  const known = new Set(['help', 'version', ...Object.keys({ ...grammar.options, ...command.options })])
  const end = words.indexOf('--')
  for (const word of end < 0 ? words : words.slice(0, end)) {
    const name = /^--([^=]+)/.exec(word)?.[1]
    if (name !== undefined && !known.has(name)) {
      throw unknownWord(name, words, { grammar, command, help: helpHint(command, grammar) })
    }
  }
}

function helpHint<C>(command: Command<C> | undefined, { scriptName }: Grammar<C>): string {
  if (scriptName === '') return `see \`help${command ? ` ${nameOf(command)}` : ''}\``
  return `see \`${scriptName}${command ? ` ${nameOf(command)}` : ''} --help\``
}

/** A complaint of the parser, in words that name the option or argument as the user writes it. */
function explainFailure<C>(message: string, words: readonly string[], grammar: Grammar<C>): UsageError {
  const command = grammar.commands.find((candidate) => nameOf(candidate) === words[0])
  const help = helpHint(command, grammar)
  const { complaint, details } = complaintIn(message)
  const names = details.split(', ')
  const first = names[0] ?? ''
  switch (complaint) {
    case 'unknown':
      return unknownWord(first, words, { grammar, command, help })
    case 'no-value':
      return new UsageError(`--${details} needs a value`, { field: details, next: help })
    case 'required': {
      const verb = names.length === 1 ? 'is' : 'are'
      const shown = names.map((name) => `--${name}`).join(' and ')
      return new UsageError(`${shown} ${verb} missing`, { field: first, next: help })
    }
    case 'too-few': {
      const missing = (command ? positionalsOf(command) : []).filter(({ required }) => required)[Number(first)]
      return new UsageError(`${(missing?.name ?? 'argument').toUpperCase()} is missing`, {
        ...(missing && { field: missing.name }),
        next: help,
      })
    }
    case null:
      return new UsageError(message.trim().replaceAll('\n', ' '), { next: help })
    default: {
      const unknown: never = complaint
      throw new Error(`unknown complaint ${String(unknown)}`)
    }
  }
}

type Complaint = 'unknown' | 'no-value' | 'required' | 'too-few'

const both = (complaint: Complaint) => ({ one: `${complaint} %s`, other: `${complaint} %s` })
/** yargs complains in words that can be translated: these translations say which complaint it is, and about what. */
const COMPLAINTS = {
  'Unknown argument: %s': both('unknown'),
  'Unknown command: %s': both('unknown'),
  'Missing required argument: %s': both('required'),
  'Not enough arguments following: %s': 'no-value %s',
  'Not enough non-option arguments: got %s, need at least %s': {
    one: 'too-few %s, %s',
    other: 'too-few %s, %s',
  },
}

function complaintIn(message: string): { complaint: Complaint | null; details: string } {
  const [, complaint = null, details = ''] = /^(unknown|no-value|required|too-few) (.*)/s.exec(message) ?? []
  return { complaint: complaint as Complaint | null, details: details.trimEnd() }
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
