//go:build !race

package realm

// simulated is the time of TestFeedAtEveryLimit.
const simulated = 14 * day
