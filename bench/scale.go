package main

// connections is the number of connections that requests come by.
const connections = 64

// scale is how much is measured.
type scale struct {
	// sets, rounds and requests of the slices in the tables of prices. Two
	// processes of the same program differ by up to a twentieth for as long as
	// they live, so that more sets tell more than more rounds.
	sets, rounds, requests int
	// many is the number of revocations of the scenario that has many, and the
	// greatest in the table of growth.
	many int
	// cached and flood are numbers of distinct tokens.
	cached, flood int
	// growthRounds and growthRequests are for the table of growth.
	growthRounds, growthRequests int
	// alone and together are numbers of logins by one and by many clients.
	alone, together int
	// edgeRounds is how often the module in a host of Go is measured.
	edgeRounds int
	// benchtime is for the benchmarks inside of this process.
	benchtime string
	// profileSeconds is how long a profile is taken.
	profileSeconds int
}

func fullScale() scale {
	return scale{
		sets: 9, rounds: 2, requests: 4000,
		many:   1_000_000,
		cached: 100_000, flood: 200_000,
		growthRounds: 6, growthRequests: 3000,
		alone: 1000, together: 10_000,
		edgeRounds: 5, benchtime: "500ms", profileSeconds: 5,
	}
}

func quickScale() scale {
	return scale{
		sets: 2, rounds: 2, requests: 1500,
		many:   100_000,
		cached: 30_000, flood: 30_000,
		growthRounds: 2, growthRequests: 1000,
		alone: 300, together: 3000,
		edgeRounds: 1, benchtime: "100ms", profileSeconds: 2,
	}
}
