package main

// connections is the number of connections that send requests. Caddy keeps 32 idle
// connections to an upstream: with more, the proxy dials again and again.
const connections = 32

// manyClients is the number of concurrent clients of the login API.
const manyClients = 64

// scale determines the amount of work.
type scale struct {
	// sets, rounds and requests describe the slices of a row. Two processes of one
	// program differ by up to 5 % for as long as they live, so that more sets tell
	// more than more rounds.
	sets, rounds, requests int
	// rotating is the number of tokens in rotation.
	rotating int
	// revocations are the numbers of revocations in the section on growth; the row
	// with revocations has the last of them.
	revocations []int
	// cached and flood are numbers of distinct tokens.
	cached, flood int
	// alone and together are numbers of logins by one and by many clients.
	alone, together int
	// benchtime is the -benchtime of Go benchmarks.
	benchtime string
	// hostRounds and hostRequests describe the slices of a WebAssembly host.
	hostRounds, hostRequests int
}

func fullScale() scale {
	return scale{
		sets: 9, rounds: 3, requests: 3000, rotating: 10_000, revocations: []int{1, 1000, 100_000, 1_000_000},
		cached: 100_000, flood: 200_000, alone: 1000, together: 10_000, benchtime: "1s", hostRounds: 7, hostRequests: 3000,
	}
}

func quickScale() scale {
	return scale{
		sets: 2, rounds: 2, requests: 1500, rotating: 10_000, revocations: []int{1, 1000, 100_000},
		cached: 30_000, flood: 30_000, alone: 300, together: 3000, benchtime: "100ms", hostRounds: 2, hostRequests: 1000,
	}
}

func (s scale) manyRevocations() int { return s.revocations[len(s.revocations)-1] }
