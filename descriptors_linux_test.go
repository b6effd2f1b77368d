package wsx_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestRoomForDescriptors: the table of a server's descriptors has its length before a connection is there, so that no
// one has to wait while it grows.
func TestRoomForDescriptors(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	p := start(t, "echo")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "FDSize:")
	line, _, _ = strings.Cut(line, "\n")
	size, err := strconv.ParseUint(strings.TrimSpace(line), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if want := min(limit.Cur, 1<<16); size < want {
		t.Errorf("there is room for %d descriptors of %d", size, want)
	}
	if open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Process.Pid)); err != nil || len(open) > 20 {
		t.Errorf("%d are open, %v", len(open), err)
	}
}
