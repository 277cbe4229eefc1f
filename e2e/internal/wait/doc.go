// Package wait lets tests wait for a condition instead of for a time.
package wait
