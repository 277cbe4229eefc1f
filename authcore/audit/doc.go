// Package audit records who did what to whom, from where and when.
//
// [Trail.Observe] receives the events of a realm. Entries of operators and of changes of
// accounts are written to the store before it returns. Frequent entries, such as those of
// logins, are collected for FlushInterval and written by [Trail.Run], so that a login
// does not wait for a second commit. No method changes an entry; it expires after the
// retention time.
//
// Requests without a login cause a bounded number of entries: equal failures of one
// minute share an entry with a count, and beyond maxFailures different ones only the
// action and the code are counted.
package audit
