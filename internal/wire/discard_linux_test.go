//go:build amd64 || arm64 || arm || riscv64 || loong64 || ppc64le

package wire_test

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/fiberwsx/wsx/internal/wire"
)

// TestLittleThatIsThrownAwayWakesNobody: a peer that has no place here any more, and sends a little again and again, is
// read when that fills a buffer, and when it hangs up.
func TestLittleThatIsThrownAwayWakesNobody(t *testing.T) {
	const little, buffer = 64, 4096
	peer, nc := tcpPair(t)
	read, end, fd := wire.Discarded(nc)
	defer end()
	wakes := waker(t, fd)
	reads := func(want int, wantErr error) {
		t.Helper()
		if n, err := read(make([]byte, buffer)); n != want || !errors.Is(err, wantErr) {
			t.Errorf("read %d bytes, %v; want %d, %v", n, err, want, wantErr)
		}
	}
	must(t, peer.Raw(make([]byte, little)))
	eventually(t, "the first has not come", func() bool { return waiting(fd) == little })
	reads(little, nil)
	for sent := 0; sent < buffer; {
		if wakes() {
			t.Fatalf("%d bytes wake somebody", sent)
		}
		must(t, peer.Raw(make([]byte, little)))
		sent += little
		eventually(t, "it has not come", func() bool { return waiting(fd) == sent })
	}
	if !wakes() {
		t.Error("a full buffer wakes nobody")
	}
	reads(buffer, nil)
	must(t, peer.Raw(make([]byte, little)))
	must(t, peer.Conn().Close())
	eventually(t, "the end wakes nobody", wakes)
	reads(little, nil)
	reads(0, io.EOF)
}

// waker returns a function that reports whether somebody who waits for a socket would be woken now.
func waker(t *testing.T, fd int) func() bool {
	t.Helper()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	must(t, err)
	t.Cleanup(func() { _ = syscall.Close(epoll) })
	must(t, syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN}))
	return func() bool {
		n, _ := syscall.EpollWait(epoll, make([]syscall.EpollEvent, 1), 0)
		return n > 0
	}
}

// waiting returns how many bytes have come to a socket and were not read.
func waiting(fd int) int {
	n, _, _ := syscall.Recvfrom(fd, make([]byte, 8192), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return n
}
