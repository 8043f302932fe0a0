import { useState } from 'preact/hooks'

/** Shown instead of the console when there is no session. */
export function SignedOut({ onSignIn }: { onSignIn: (token: string) => Promise<boolean> }) {
  const [refused, setRefused] = useState(false)
  return (
    <main class="door">
      <h1 class="brand">
        <span class="brand-mark" aria-hidden="true">
          P
        </span>
        Platestream
      </h1>
      <p>
        Sign in first: open the address that <code>platestream up</code> printed at its start, or enter its token.
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const token = new FormData(event.currentTarget).get('token')
          void onSignIn(String(token ?? '').trim()).then((ok) => setRefused(!ok))
        }}
      >
        <label for="token">Access token</label>
        <input id="token" name="token" type="password" autocomplete="off" required maxLength={512} />
        <button type="submit" class="button button-main">
          Sign in
        </button>
      </form>
      <p class="refused" role="alert">
        {refused && 'This token does not open the door. It is in the data folder of the installation.'}
      </p>
      <p class="small">For official law-enforcement use only.</p>
    </main>
  )
}
