// Package apple plays Sign in with Apple as its documentation describes it: it
// posts its answer through the browser, with the name of the person at the first
// login, and takes no client secret but a fresh JWT.
package apple
