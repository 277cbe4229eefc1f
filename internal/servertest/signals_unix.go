//go:build unix

package servertest

import "syscall"

// Signals that freeze a process and continue it.
const (
	StopSignal     = syscall.SIGSTOP
	ContinueSignal = syscall.SIGCONT
)
