package process

import "syscall"

// attributes ignores the user: there is no such switch on Windows.
func attributes(uint32, uint32) *syscall.SysProcAttr { return nil }
