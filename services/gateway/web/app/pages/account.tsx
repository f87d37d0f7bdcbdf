import { useState } from 'preact/hooks'
import { ApiKeys } from '../parts/api-keys.js'
import { Attention } from '../parts/attention.js'
import { Choice, Segments, TextField } from '../parts/fields.js'
import { Icon, Note } from '../parts/icons.js'
import { hasKeys, isHelpOpen, turnKeys } from '../parts/keyboard.js'
import { LANGUAGES, type Language, language, speak, t } from '../state/language.js'
import { address, go } from '../state/router.js'
import { become, client, isOpenMode, logIn, loginEnded, logOut, register, visitor } from '../state/session.js'
import { chooseTheme, THEMES, theme } from '../state/theme.js'

export function Account() {
  return (
    <div class="narrow account">
      <h1>{t('account.title')}</h1>
      {isOpenMode.value ? <OpenName /> : visitor.value ? <LoggedIn /> : <LogIn />}
      <Settings />
    </div>
  )
}

/** Back to where the visitor was about to bid or sell. */
function goOn(): void {
  const then = address.value.searchParams.get('then')
  if (then && /^\/(?!\/)/.test(then)) go(then)
}

function useForm(work: () => Promise<unknown>) {
  const [isBusy, setBusy] = useState(false)
  const [wrong, setWrong] = useState<string | null>(null)
  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setWrong(null)
    try {
      await work()
    } catch (error) {
      setWrong(sentence((error as Error).message))
    } finally {
      setBusy(false)
    }
  }
  return { isBusy, wrong, submit: (event: Event) => void submit(event) }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function OpenName() {
  const [name, setName] = useState('')
  const { isBusy, wrong, submit } = useForm(async () => {
    await become(name.trim())
    setName('')
    goOn()
  })
  const who = visitor.value
  return (
    <section class="card stack">
      <h2 dir="auto">{who ? t('account.open.as', { name: who.name }) : t('account.open.title')}</h2>
      <p class="soft">{t('account.open.help')}</p>
      <form class="stack" onSubmit={submit}>
        <TextField
          label={t('account.open.name')}
          value={name}
          onValue={setName}
          wrong={wrong}
          input={{ maxLength: 64, required: true, autocomplete: 'nickname', dir: 'auto' }}
        />
        <button type="submit" class="button primary wide" disabled={isBusy || name.trim() === ''}>
          {t('account.open.use')}
        </button>
      </form>
    </section>
  )
}

function LogIn() {
  const [mode, setMode] = useState<'log-in' | 'register'>('log-in')
  const [username, setUsername] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const { isBusy, wrong, submit } = useForm(async () => {
    if (mode === 'log-in') await logIn(username.trim(), password)
    else {
      const more = email.trim() === '' ? {} : { email: email.trim() }
      await register({ username: username.trim(), password, ...more })
    }
    goOn()
  })
  const isNew = mode === 'register'
  return (
    <section class="card stack">
      {loginEnded.value && (
        <Note tone="warn" icon="warn" role="status">
          {t('account.ended')}
        </Note>
      )}
      <Segments
        name="mode"
        label={t('account.title')}
        value={mode}
        onValue={setMode}
        options={[
          ['log-in', t('account.log-in')],
          ['register', t('account.register')],
        ]}
      />
      <form class="stack" onSubmit={submit}>
        <TextField
          label={t(isNew ? 'account.username' : 'account.login')}
          help={isNew ? t('account.username.help') : undefined}
          value={username}
          onValue={setUsername}
          input={{ required: true, autocomplete: 'username', autocapitalize: 'none', dir: 'ltr' }}
        />
        {isNew && (
          <TextField
            label={t('account.email')}
            optional
            value={email}
            onValue={setEmail}
            input={{ type: 'email', autocomplete: 'email', dir: 'ltr' }}
          />
        )}
        <TextField
          label={t('account.password')}
          help={isNew ? t('account.password.help') : undefined}
          value={password}
          onValue={setPassword}
          input={{
            type: 'password',
            required: true,
            dir: 'ltr',
            autocomplete: isNew ? 'new-password' : 'current-password',
          }}
        />
        {wrong && (
          <Note tone="bad" icon="warn" role="alert">
            {wrong}
          </Note>
        )}
        <button type="submit" class="button primary wide" disabled={isBusy}>
          {t(isNew ? 'account.register' : 'account.log-in')}
        </button>
      </form>
    </section>
  )
}

function LoggedIn() {
  return (
    <>
      <section class="card row between">
        <h2 dir="auto">
          <Icon name="user" /> {t('account.signed-in', { name: visitor.value?.name ?? '' })}
        </h2>
        <button type="button" class="button" onClick={() => void logOut()}>
          {t('account.log-out')}
        </button>
      </section>
      <ChangePassword />
      <ApiKeys />
    </>
  )
}

function ChangePassword() {
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [isDone, setDone] = useState(false)
  const { isBusy, wrong, submit } = useForm(async () => {
    setDone(false)
    await client.value?.accounts.changePassword({ current, next })
    setCurrent('')
    setNext('')
    setDone(true)
  })
  return (
    <section class="card stack">
      <h2>{t('account.password.title')}</h2>
      <form class="stack" onSubmit={submit}>
        <input
          type="text"
          class="sr"
          autocomplete="username"
          value={visitor.value?.name ?? ''}
          readOnly
          tabIndex={-1}
          aria-hidden="true"
        />
        <TextField
          label={t('account.password.current')}
          value={current}
          onValue={setCurrent}
          input={{ type: 'password', required: true, autocomplete: 'current-password', dir: 'ltr' }}
        />
        <TextField
          label={t('account.password.new')}
          help={t('account.password.help')}
          value={next}
          onValue={setNext}
          input={{ type: 'password', required: true, autocomplete: 'new-password', dir: 'ltr' }}
        />
        {wrong && (
          <Note tone="bad" icon="warn" role="alert">
            {wrong}
          </Note>
        )}
        {isDone && (
          <Note tone="good" icon="check" role="status">
            {t('account.password.done')}
          </Note>
        )}
        <button type="submit" class="button" disabled={isBusy || current === '' || next === ''}>
          {t('account.password.change')}
        </button>
      </form>
    </section>
  )
}

function Settings() {
  const languages = Object.entries(LANGUAGES) as [Language, { name: string }][]
  return (
    <section class="card stack">
      <h2>{t('account.settings')}</h2>
      {languages.length > 1 && (
        <Choice
          label={t('nav.language')}
          value={language.value}
          onValue={(chosen) => void speak(chosen)}
          options={languages.map(([key, { name }]) => [key, name] as const)}
        />
      )}
      <Segments
        name="theme"
        label={t('nav.theme')}
        value={theme.value}
        onValue={chooseTheme}
        options={THEMES.map((name) => [name, t(`theme.${name}`)] as const)}
      />
      <label class="check">
        <input type="checkbox" checked={hasKeys.value} onChange={(event) => turnKeys(event.currentTarget.checked)} />
        {t('keys.on')}
      </label>
      <div>
        <button
          type="button"
          class="button"
          onClick={() => {
            isHelpOpen.value = true
          }}
        >
          {t('account.keyboard')}
        </button>
      </div>
      <Attention />
    </section>
  )
}
