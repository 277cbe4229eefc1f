//go:build unix && !linux

package process

import "syscall"

// Attributes makes the program run as a user, if uid is not zero.
func Attributes(uid, gid uint32) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{}
	if uid != 0 {
		attributes.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return attributes
}
