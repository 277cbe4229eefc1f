package process

import "syscall"

// Attributes ignores the user: there is no such switch on Windows.
func Attributes(uint32, uint32) *syscall.SysProcAttr { return nil }
