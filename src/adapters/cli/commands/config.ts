import { shownBudgets } from '../../../application/budgets/budget-setting.js'
import type { BudgetLimits } from '../../../application/budgets/sender-budgets.js'
import type { Json } from '../../../application/gateway/json-shapes.js'
import { type LimitRules, shownLimits } from '../../../application/gateway/limit-rules.js'
import { describeSource } from '../../system/settings.js'
import { SETTING_KEYS, type SettingKey } from '../../system/settings-schema.js'
import { type SharedLogAddress, shownSharedLog } from '../../system/shared-log-address.js'
import { EXIT } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import { table } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { HostCommand } from '../session/host.js'

export const configCommand: HostCommand = {
  usage: 'config',
  audited: 'changes nothing',
  summary: 'Show the effective configuration, and where each value comes from.',
  options: startOptions,
  examples: [
    ['config', 'as `start` would take it'],
    ['config --json', 'for programs'],
  ],
  notes:
    'Flags come first, then VENDUE_* variables (VENDUE_GRAPE_PORT for --grape-port), then the config file ({"grape_port": 30001}), then defaults. VENDUE_HOME (~/.vendue) holds the config file and the nodes.',
  async run({ out, settings }, args) {
    const { home, values, sources } = settings(args)
    const rows = SETTING_KEYS.map((key) => ({
      key,
      value: jsonValue(key, values),
      source: describeSource(sources[key]),
    }))
    out.document({
      home,
      settings: Object.fromEntries(rows.map(({ key, value, source }) => [key, { value, source }])),
    })
    out.lines(
      ...table(rows, [
        { title: 'KEY', cell: ({ key }) => key },
        { title: 'VALUE', cell: ({ value }) => oneLine(shown(value)) },
        { title: 'SOURCE', cell: ({ source }) => oneLine(source) },
      ]),
    )
    return EXIT.done
  },
}

function jsonValue(key: SettingKey, values: Readonly<Record<SettingKey, unknown>>): Json {
  const value = values[key]
  if (key === 'rpc') {
    const { host, port } = value as { host: string; port: number }
    return `${host.includes(':') ? `[${host}]` : host}:${port}`
  }
  if (key === 'audit_keep') return value === null ? 'forever' : `${(value as number) / 1_000}s`
  if (key === 'peer_wait') return value === 0 ? 'off' : `${(value as number) / 1_000}s`
  if (key === 'shared_log') return value === null ? null : shownSharedLog(value as SharedLogAddress)
  if (key === 'limits') return shownLimits(value as LimitRules)
  if (key === 'budgets') return shownBudgets(value as BudgetLimits)
  return value as Json
}

function shown(value: Json): string {
  if (Array.isArray(value)) return value.join(',')
  if (value === null) return 'none'
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([code, exponent]) => `${code}:${exponent}`)
    .join(',')
}
