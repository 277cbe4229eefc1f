//go:build unix && !linux

package process

import "syscall"

func attributes(uid, gid uint32) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{}
	if uid != 0 {
		attributes.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	return attributes
}
