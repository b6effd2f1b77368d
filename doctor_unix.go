//go:build unix

package wsx

import "syscall"

// openFiles returns how many files the process may have open. At the start Go has raised that as far as it may.
func openFiles() (most uint64, ok bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return uint64(l.Cur), true //nolint:unconvert // signed on some systems
}
