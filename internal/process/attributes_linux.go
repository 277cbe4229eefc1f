package process

import "syscall"

// Attributes makes the program run as a user, if uid is not zero, and end together
// with its parent.
func Attributes(uid, gid uint32) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if uid != 0 {
		attributes.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return attributes
}
