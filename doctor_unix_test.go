//go:build unix

package wsx_test

import (
	"math"
	"syscall"
	"testing"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
)

// limitsFiles says that there is a limit of open files: it is never infinite on Linux.
var limitsFiles = openFiles() < math.MaxInt

func openFiles() uint64 {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return math.MaxUint64
	}
	return uint64(l.Cur) //nolint:unconvert // signed on some systems
}

func TestWarnsFromTheLimitOfFilesOn(t *testing.T) {
	if !limitsFiles {
		skipOrFail(t, "the files of this process are not limited")
	}
	for more, want := range map[int]int{-1: 0, 0: 1, 1: 1} {
		log := new(record)
		wsx.New(wsx.Config{Hub: echoHub(hub.Config{MaxConns: int(openFiles()) + more}), Logger: log.logger()})
		wantWarnings(t, log, "max_conns", want)
	}
}
