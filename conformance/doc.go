// Package conformance pins the test vectors of Wycheproof. `make conformance` passes their
// folder to the tests of authcore/gate. The module is separate because the vectors have
// a hundred megabytes, which no user of the product should download.
package conformance

import _ "github.com/c2sp/wycheproof" // its folder contains the vectors
