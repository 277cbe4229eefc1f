// Package kv implements the steps of an authcore.Store once, over transactions on
// ordered keys and values. The engines below it, packages memory and bolt, supply
// the transaction, durability, counters and the watch on revocations.
//
//	Login, PutRecord, … ──▶ kv.Store ──▶ Engine.View, Engine.Update ──▶ Tx
//
// The package owns the layout of the keys, the encoding of the values and the
// size of each step. It has no clock, no goroutine and no lock.
//
// All keys of a realm share one space. The first byte selects the table. Parts of
// a key are separated by NUL, which no part contains:
//
//	a user 00                        -> User
//	a user 00 i identity             -> Identity
//	a user 00 s session              -> Session
//	e Address.Key                    -> user
//	f number                         -> feedEntry   revocations in order
//	f ff                             -> number      the last number of the feed
//	g kind 00 id                     -> number      place of a revocation in the feed
//	i identity                       -> user
//	k                                -> []SigningKey
//	o owner 00 kind 00 created key   -> ""          records of an owner, newest first
//	r kind 00 key                    -> Record
//	x time key                       -> ""          keys of items by expiry
//
// An identity is encoded as provider 00 issuer 00 subject 00 state, where state
// is "p" for a former subject and "a" for a current one. Values are JSON. A user,
// its identities and its sessions are neighbors, so that an account is one scan
// and a login touches few pages.
//
// An entry of the expiry table is a hint. It stays when its item is deleted or
// prolonged; Sweep reads the item before it deletes anything, and files a
// prolonged item again.
package kv
