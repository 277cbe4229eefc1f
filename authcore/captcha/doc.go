// Package captcha verifies the responses of captcha widgets with the siteverify
// protocol, which Cloudflare Turnstile, hCaptcha and Google reCAPTCHA share: a POST of a
// form with secret, response and remoteip, and a JSON answer with success, error-codes,
// hostname and action.
//
// The service accepts a response once; this package stores nothing.
package captcha
