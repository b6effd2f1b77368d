package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The processors: the server's, and the client's.
const (
	serverCore = 0
	clientCore = 1
)

// process is a server that runs.
type process struct {
	cmd  *exec.Cmd
	addr netip.AddrPort
}

// start runs a server on so many cores, and waits until it listens.
func start(ctx context.Context, binary string, args []string, cores int) (*process, error) {
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &process{addr: addr}
	p.cmd = exec.CommandContext(ctx, binary, append([]string{"-addr", addr.String()}, args...)...) //nolint:gosec // built here
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(cores))
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var errs strings.Builder
	p.cmd.Stderr = &errs
	if err := pinned(serverCores(cores), p.cmd.Start); err != nil {
		return nil, err
	}
	if err := errors.Join(listening(out), p.answers()); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w: %s", binary, err, errs.String())
	}
	return p, nil
}

// answers waits until somebody accepts connections: a server may say that it listens a little before it does.
func (p *process) answers() (err error) {
	for range 200 {
		var nc net.Conn
		if nc, err = net.Dial("tcp", p.addr.String()); err == nil {
			return nc.Close()
		}
		t := time.NewTimer(10 * time.Millisecond)
		<-t.C
	}
	return err
}

func serverCores(n int) []int {
	if n > 1 {
		return []int{serverCore, clientCore}
	}
	return []int{serverCore}
}

// pinned runs f on a thread that may use these processors only; a process that f starts inherits that.
func pinned(cores []int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	for _, core := range cores {
		set.Set(core)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pinning to processors %v: %w", cores, err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &before) }()
	return f()
}

func freeAddress() (netip.AddrPort, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).AddrPort(), nil
}

func listening(out io.Reader) error {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "listening on ") {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return nil
		}
	}
	return errors.New("ends before it listens")
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// cpu returns the processor time that the server has used, by the kernel's clock of the process.
func (p *process) cpu() time.Duration {
	const scheduled = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^p.cmd.Process.Pid<<3|scheduled), &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// rss returns the resident memory in bytes.
func (p *process) rss() (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var size, resident int
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		return 0, err
	}
	return resident * os.Getpagesize(), nil
}

// descriptors returns how many are open.
func (p *process) descriptors() (int, error) {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	return len(all), err
}
