// Package npm installs pinned npm packages for tests.
package npm
