//go:build linux

package wire_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/fiberwsx/wsx/ws"
)

// TestWithoutDescriptors: when there is none for a socket of its own, a connection runs in place.
func TestWithoutDescriptors(t *testing.T) {
	client, server := tcpPair(t)
	var before syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before))
	last, err := os.Open(os.DevNull) // the next free descriptor
	must(t, err)
	free := uint64(last.Fd())
	must(t, last.Close())
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: free, Max: before.Max}))
	r := start(t, client, server, limits(), echo())
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before))
	want(t, "detached", r.Detached(), false)
	r.client.SendText("hello")
	want(t, "echo", r.client.ReadText(), "hello")
	must(t, r.Close(ws.StatusNormalClosure, ""))
	want(t, "close frame", r.client.ReadClose().Status, ws.StatusNormalClosure)
	r.ended(t)
}
