// Package authenticator is a software authenticator for tests (Web Authentication Level
// 3, section 6). It shares no code with the library that checks its responses, and its
// fields make it misbehave.
package authenticator
