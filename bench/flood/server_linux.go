package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The processors: the server's, and that of the polite clients and the attacker.
const (
	serverCore = 0
	clientCore = 1
)

// The real-time priorities, where this process may give them: other work on the machine waits, and the attacker does.
const (
	serverHurries = 1
	politeHurry   = 2
)

// server is the process that is flooded.
type server struct {
	cmd  *exec.Cmd
	addr string
	over chan struct{} // closed when it has ended
	said tail
}

// serve starts a server and waits until it listens. files is how many descriptors it may have; 0: as many as this
// process. cores is how many processors it may use.
func serve(ctx context.Context, binary string, cores int, files uint64, args ...string) (*server, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: ln.Addr().String(), over: make(chan struct{})}
	_ = ln.Close()
	s.cmd = exec.CommandContext(ctx, binary, append([]string{"-addr", s.addr, "-limits", "default", "-debug"}, args...)...) //nolint:gosec // built here
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Stderr = &s.said
	if err := onServerCores(cores, s.cmd.Start); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.over)
	}()
	if err := errors.Join(s.limit(files), s.answers()); err != nil {
		s.stop()
		return nil, fmt.Errorf("the server: %w: %s", err, &s.said)
	}
	return s, nil
}

// onServerCores has f start a process, which inherits the processors and a high priority, where this one may give it.
func onServerCores(n int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := pin(0, []int{serverCore, clientCore}[:n]...); err != nil {
		return err
	}
	defer func() { _ = pin(0, clientCore) }()
	defer hurry(serverHurries)()
	return f()
}

// hurry has this thread, and what it starts, run before all that does not hurry or hurries less, if it may, and returns
// what takes it back.
func hurry(priority uint32) (back func()) {
	before, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return func() {}
	}
	// In turns with its own other threads: it is not to depend on how long one of them may run.
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: priority}
	if unix.SchedSetAttr(0, &attr, 0) != nil {
		return func() {}
	}
	return func() { _ = unix.SchedSetAttr(0, before, 0) }
}

// limit sets the limit of the server's descriptors, below what it raised its own to.
func (s *server) limit(files uint64) error {
	if files == 0 {
		return nil
	}
	// Go raises the soft limit at the start; by now it has.
	if err := s.answers(); err != nil {
		return err
	}
	return unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files}, nil)
}

// answers waits until somebody accepts connections.
func (s *server) answers() (err error) {
	for range 300 {
		var nc net.Conn
		if nc, err = net.Dial("tcp4", s.addr); err == nil {
			return nc.Close()
		}
		select {
		case <-s.over:
			return errors.New("has ended")
		case <-time.After(10 * time.Millisecond):
		}
	}
	return err
}

func (s *server) alive() error {
	select {
	case <-s.over:
		return fmt.Errorf("the server has ended: %s: %s", s.cmd.ProcessState, &s.said)
	default:
		return nil
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.over
}

// memory returns the resident memory in bytes, and its peak since [server.forget].
func (s *server) memory() (now, peak int, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) < 2:
		case fields[0] == "VmRSS:":
			now, _ = strconv.Atoi(fields[1])
		case fields[0] == "VmHWM:":
			peak, _ = strconv.Atoi(fields[1])
		}
	}
	return now << 10, peak << 10, err
}

// used returns how much of a processor's time it has used.
func (s *server) used() time.Duration {
	var clock unix.Timespec
	id := int32(^s.cmd.Process.Pid << 3) // how the kernel makes a clock of a process; the last bits: all of its time
	if unix.ClockGettime(id|2, &clock) != nil {
		return 0
	}
	return time.Duration(clock.Nano())
}

// forget has the kernel forget the peak of the resident memory.
func (s *server) forget() error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0)
}

// state is what the server tells of itself, after a garbage collection.
type state struct {
	Goroutines  int    `json:"goroutines"`
	Descriptors int    `json:"descriptors"`
	HeapAlloc   uint64 `json:"heap_alloc"`
}

func (s *server) state(ctx context.Context) (now state, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/debug/state", nil)
	if err != nil {
		return now, err
	}
	req.Close = true // it must not be counted itself the next time
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return now, err
	}
	defer resp.Body.Close()
	return now, json.NewDecoder(bufio.NewReader(resp.Body)).Decode(&now)
}

// tail keeps the end of what is written to it; it is read when the process has ended.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	const most = 4 << 10
	t.b = append(t.b, p...)
	if over := len(t.b) - most; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(bytes.TrimSpace(t.b)) }

// pin keeps a thread on some processors; 0 is the calling one.
func pin(tid int, cores ...int) error {
	var set unix.CPUSet
	for _, core := range cores {
		set.Set(core)
	}
	if err := unix.SchedSetaffinity(tid, &set); err != nil {
		return fmt.Errorf("pinning to the processors %v: %w", cores, err)
	}
	return nil
}

// eachThread calls f with each thread of this process; those that come later inherit from these.
func eachThread(f func(tid int) error) error {
	tasks, err := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		tid, _ := strconv.Atoi(task.Name())
		err = errors.Join(err, f(tid))
	}
	return err
}
