import { createAuth } from 'edgeauth'

const auth = createAuth({ clientKey: 'web', api: 'https://api.example.com/v1/auth' })

export async function signIn(email, askForCode) {
  await auth.requestLink(email) // mails a link and a code
  return auth.loginWithCode(await askForCode()) // throws an AuthError with message, status and code
}
export const orders = () => auth.fetch('https://api.example.com/orders') // with the token, refreshed in time
export const signOut = () => auth.logout() // in all tabs
auth.onChange(({ session }) => console.log(session?.user.email ?? 'signed out'))
