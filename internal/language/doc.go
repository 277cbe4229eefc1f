// Package language chooses the language of mails and pages, and writes what depends on it:
// directions, plural forms, spans of time.
package language
