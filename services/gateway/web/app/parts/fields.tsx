import type { ComponentChildren, InputHTMLAttributes } from 'preact'
import { useId } from 'preact/hooks'
import { t } from '../state/language.js'
import { Icon } from './icons.js'

export interface FieldProps {
  readonly label: string
  readonly help?: string | undefined
  readonly wrong?: string | null | undefined
  readonly optional?: boolean
}

interface Wired {
  readonly id: string
  readonly 'aria-invalid': 'true' | undefined
  readonly 'aria-describedby': string | undefined
}

/** A label, what is wrong or may help, and a control that points at both. */
export function Field({
  label,
  help,
  wrong,
  optional = false,
  children,
}: FieldProps & { children: (wired: Wired) => ComponentChildren }) {
  const id = useId()
  const described = wrong ? `${id}-wrong` : help ? `${id}-help` : undefined
  return (
    <div class="field">
      <label class="label" for={id}>
        <span>{label}</span>
        {optional && <span class="soft small">{t('sell.optional')}</span>}
      </label>
      {children({ id, 'aria-invalid': wrong ? 'true' : undefined, 'aria-describedby': described })}
      {wrong ? (
        <p class="wrong" id={`${id}-wrong`}>
          <Icon name="warn" />
          {wrong}
        </p>
      ) : (
        help && (
          <p class="help" id={`${id}-help`}>
            {help}
          </p>
        )
      )}
    </div>
  )
}

export function TextField({
  value,
  onValue,
  input = {},
  ...field
}: FieldProps & {
  readonly value: string
  readonly onValue: (value: string) => void
  readonly input?: InputHTMLAttributes
}) {
  return (
    <Field {...field}>
      {(wired) => (
        <input
          class="input"
          value={value}
          onInput={(event) => onValue(event.currentTarget.value)}
          {...input}
          {...wired}
        />
      )}
    </Field>
  )
}

export function Choice<T extends string>({
  value,
  onValue,
  options,
  ...field
}: FieldProps & {
  readonly value: T
  readonly onValue: (value: T) => void
  readonly options: readonly (readonly [value: T, label: string])[]
}) {
  return (
    <Field {...field}>
      {(wired) => (
        <select class="input" value={value} onChange={(event) => onValue(event.currentTarget.value as T)} {...wired}>
          {options.map(([key, label]) => (
            <option key={key} value={key}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** A few exclusive choices, all in sight. */
export function Segments<T extends string>({
  name,
  label,
  value,
  onValue,
  options,
}: {
  readonly name: string
  readonly label: string
  readonly value: T
  readonly onValue: (value: T) => void
  readonly options: readonly (readonly [value: T, label: string])[]
}) {
  return (
    <fieldset>
      <legend class="sr">{label}</legend>
      <div class="segments">
        {options.map(([key, text]) => (
          <label key={key}>
            <input class="sr" type="radio" name={name} checked={key === value} onChange={() => onValue(key)} />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
