// Package ratelimit counts requests against budgets and refuses those that
// exceed one.
//
//	Do(checks, work)
//	  1. read    every counter of the checks           over: 429, nothing counted
//	  2. count   one in each of them                   over: take it back, 429
//	  3. work
//	  4. refund  if work failed with a server error
//
// A refused request counts against no budget, so that requests of one party
// cannot use up a budget that others share, such as that of a client or of the
// realm.
//
// Nodes share the counters in the store. While the store cannot count, each node
// counts on its own: the effective limit is then one budget for each node.
package ratelimit
