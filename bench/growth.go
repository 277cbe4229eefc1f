package main

import (
	"os"

	"github.com/edgeauth/edgeauth/authcore/gate"
)

// growth measures a server by the number of sessions and revocations.
func (b *bench) growth() {
	list := []row{{name: "plain", start: proxy("")}}
	for _, n := range b.revocations {
		list = append(list, row{name: count(n), start: gated("", ""), revoked: n})
	}
	servers := make([]*server, len(list))
	all := b.measure(list, 1, func(_ *bench, subjects []*subject) {
		for i, s := range subjects {
			servers[i] = s.servers[0]
		}
	})
	b.heading("Growth")
	b.paragraph("Live sessions, and as many revocations of ended ones. The cost of a request is processor time compared with the plain proxy, as above, " +
		"in one set of processes. Memory is that at the first response; its anonymous part leaves out pages of the database, which the system " +
		"reclaims when it needs memory.")
	b.table("sessions and revocations", "one hot token", "database MB", "start ms", "RSS MB", "anonymous MB", "peak MB")
	for i, n := range b.revocations {
		info, err := os.Stat(b.prepare(gate.EdDSA, n, true).path)
		b.check(err)
		s := servers[i+1]
		b.row(count(n), all[i+1].ratio[cpu].ratio(), megabytes(info.Size()), figure(s.startup.Seconds()*1e3),
			megabytes(s.ready.rss), megabytes(s.ready.anonymous), megabytes(s.ready.peak))
	}
}
