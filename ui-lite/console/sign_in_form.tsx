import { useState } from 'preact/hooks'

/** Replaces the console while there is no session. @param onSignIn returns why a token starts none */
export function SignInForm({ onSignIn }: { onSignIn: (token: string) => Promise<string | undefined> }) {
  const [refusal, setRefusal] = useState<string>()
  return (
    <main class="sign-in">
      <h1 class="brand">
        <span class="brand-mark" aria-hidden="true">
          P
        </span>
        Platestream
      </h1>
      <p>
        Sign in first: open the address that <code>platestream up</code> printed when it started, or enter the token
        from that address.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const token = new FormData(event.currentTarget).get('token')
          void onSignIn(String(token ?? '').trim()).then(setRefusal)
        }}
      >
        <label for="token">Access token</label>
        <input id="token" name="token" type="password" autocomplete="off" required maxLength={512} />
        <button type="submit" class="button button-main">
          Sign in
        </button>
      </form>
      <p class="error" role="alert">
        {refusal}
      </p>
      <p class="small">For official law-enforcement use only.</p>
    </main>
  )
}
