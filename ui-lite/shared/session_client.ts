export type SignIn = 'in' | 'out' | 'unreachable'

/**
 * Trades the token of the address for a session and takes it out of the address bar and the history. Without a token it
 * asks whether there is a session already.
 */
export async function signIn(): Promise<SignIn> {
  const address = new URL(location.href)
  const token = address.searchParams.get('token')
  if (token !== null) {
    address.searchParams.delete('token')
    history.replaceState(null, '', address)
    if (await signInWith(token)) return 'in'
  }
  return checkSession()
}

/** Whether the token opened the door. */
export async function signInWith(token: string): Promise<boolean> {
  try {
    const { ok } = await fetch('/api/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
      credentials: 'same-origin',
    })
    return ok
  } catch {
    return false
  }
}

/** Asking also renews a session in its second half. */
export async function checkSession(): Promise<SignIn> {
  try {
    const { status } = await fetch('/api/session', { credentials: 'same-origin', cache: 'no-store' })
    return status === 200 ? 'in' : status === 401 ? 'out' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}

export async function signOut(): Promise<void> {
  await fetch('/api/session', { method: 'DELETE', credentials: 'same-origin' }).catch(() => {})
}
