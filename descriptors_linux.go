package wsx

import "syscall"

// mostReserved is for how many descriptors room is made: half a megabyte of the kernel's memory.
const mostReserved = 1 << 16

// reserveDescriptors makes room for the descriptors of connections. Linux doubles its table of them when it is full,
// at the 256th, the 512th and so on, for which it waits until no thread looks at the old one: that stops whoever has
// accepted the connection, and on one processor everybody, for 10 ms and more. So it is done before there is one.
func reserveDescriptors() {
	most, ok := openFiles()
	if !ok || most == 0 {
		return
	}
	fd, _, errno := syscall.RawSyscall(syscall.SYS_EVENTFD2, 0, syscall.O_CLOEXEC, 0)
	if errno != 0 {
		return
	}
	last, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, uintptr(min(most, mostReserved)-1))
	if errno == 0 {
		_ = syscall.Close(int(last))
	}
	_ = syscall.Close(int(fd))
}
