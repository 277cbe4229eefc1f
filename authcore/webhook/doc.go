// Package webhook sends the entries of the audit trail to HTTP endpoints, in the format of
// Standard Webhooks (https://www.standardwebhooks.com).
//
//	audit.Trail ──▶ Sender.Items   a record for each endpoint, in the step of the entry
//	store       ──▶ Sender.Run     oldest first, until the endpoint accepts it
//
// A message stays in the store until it was accepted or is a dead letter, so that none is
// lost if nodes are killed. One node at a time sends to an endpoint: the one that holds its
// lease. A message may arrive twice, with the same ID, if that node is killed.
package webhook
