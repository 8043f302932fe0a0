/** Parameters whose values are secrets, in addresses such as `/snapshot?user=a&pwd=b` or `/user=a_password=b`. */
const SECRET_PARAMETER =
  /((?:pass(?:word|wd|phrase)?|pwd|psw|pw|token|secret|auth|api_?key|key|sig(?:nature)?)\s*=)[^&\s;'"]+/gi

/** What precedes the host. It reaches to the last @ of the word: a password may hold one that is not encoded. */
const USER_INFO = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s'"<>]*@/gi

/**
 * A text without the users, passwords and keys of the addresses in it: `rtsp://admin:pw@host/x?token=1` becomes
 * `rtsp://host/x?token=***`.
 */
export const redact = (text: string): string => text.replace(USER_INFO, '$1').replace(SECRET_PARAMETER, '$1***')
