// Package axe provides axe-core, which finds faults of accessibility in pages.
package axe
