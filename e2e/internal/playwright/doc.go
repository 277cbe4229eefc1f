// Package playwright runs tests of a frontend with Playwright, which sign in without mail.
package playwright
