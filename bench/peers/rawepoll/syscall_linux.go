package main

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// RawSyscall spares the scheduler's bookkeeping, for calls that cannot sleep. The one that sleeps tells the scheduler.

func recv(fd int, p []byte) (int, syscall.Errno) {
	//nolint:gosec // p lives as long as the call
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT, 0, 0)
	return result(n, errno)
}

func send(fd int, p []byte) (int, syscall.Errno) {
	//nolint:gosec // p lives as long as the call
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	return result(n, errno)
}

func result(n uintptr, errno syscall.Errno) (int, syscall.Errno) {
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// wait waits until there is an event. It asks without sleeping first: under load there is one.
func wait(epoll int, events []unix.EpollEvent) int {
	//nolint:gosec // events live as long as the call
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])),
		uintptr(len(events)), 0, 0, 0)
	if errno == 0 && n > 0 {
		return int(n)
	}
	for {
		if n, err := unix.EpollWait(epoll, events, -1); err == nil {
			return n
		}
	}
}

func notify(eventfd int) {
	one := [8]byte{1} // in either order of bytes it is not zero
	//nolint:gosec // one lives as long as the call
	_, _, _ = syscall.RawSyscall(syscall.SYS_WRITE, uintptr(eventfd), uintptr(unsafe.Pointer(&one)), uintptr(len(one)))
}
