package servertest

import "os"

// Signals that freeze a process and continue it. Windows cannot freeze a process. [os.Process.Signal] rejects every signal but
// [os.Kill], so that Pause and Resume fail the test there.
const (
	StopSignal     = windowsSignal("stop")
	ContinueSignal = windowsSignal("continue")
)

type windowsSignal string

func (s windowsSignal) String() string { return string(s) }
func (windowsSignal) Signal()          {}

var _ os.Signal = windowsSignal("")
