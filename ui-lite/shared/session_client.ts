export type SessionState = 'signed-in' | 'signed-out' | 'unreachable'

/**
 * Exchanges the token in the page's address for a session and removes it from the address bar and the history. Without
 * a token, or if the gateway rejects it, checks whether a session exists.
 */
export async function signIn(): Promise<SessionState> {
  const address = new URL(location.href)
  const token = address.searchParams.get('token')
  if (token !== null) {
    address.searchParams.delete('token')
    history.replaceState(null, '', address)
    if ((await signInWith(token)) === undefined) return 'signed-in'
  }
  return checkSession()
}

/** Starts a session. @returns why there is none; undefined when there is */
export async function signInWith(token: string): Promise<string | undefined> {
  try {
    const answer = await fetch('api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
      credentials: 'same-origin',
    })
    if (answer.ok) return undefined
    if (answer.status === 401)
      return 'This token is not valid. The valid token is in the data folder of the installation.'
    const { message } = (await answer.json()) as { message: string }
    return `The gateway refused the sign-in: ${message}.`
  } catch {
    return 'The gateway does not answer.'
  }
}

/** Asks the gateway for the state of the session. This also renews a session in the second half of its life. */
export async function checkSession(): Promise<SessionState> {
  try {
    const { status } = await fetch('api/session', { credentials: 'same-origin', cache: 'no-store' })
    return status === 200 ? 'signed-in' : status === 401 ? 'signed-out' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}

export async function signOut(): Promise<void> {
  await fetch('api/session', { method: 'DELETE', credentials: 'same-origin' }).catch(() => {})
}
