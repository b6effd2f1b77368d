package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

const (
	key       = "the ledger's devices know what is signed with this" // of a server that lives for a few minutes
	startTime = 20 * time.Second
	stopTime  = 40 * time.Second
	pauseTime = 100 * time.Millisecond // before the server is started again
)

// server is the telemetry server as a process, which is started again whenever it has ended, as a supervisor would.
type server struct {
	binary  string
	db      string
	address string
	log     *os.File
	kills   atomic.Int32
	refused atomic.Int32 // starts that failed, as they must while the database is away
	crashes atomic.Int32 // other ends that nobody has asked for
	over    chan struct{}
	done    sync.WaitGroup

	mu     sync.Mutex
	cmd    *exec.Cmd // nil: it does not run
	killed bool
	ending bool
}

func startServer(binary, dir, db string) (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_ = ln.Close()
	s := &server{binary: binary, db: db, address: ln.Addr().String(), over: make(chan struct{})}
	if s.log, err = os.Create(filepath.Join(dir, "server.log")); err != nil {
		return nil, err
	}
	s.done.Go(s.supervise)
	return s, nil
}

func (s *server) supervise() {
	for {
		cmd, err := s.start()
		if err == nil {
			err = cmd.Wait()
		}
		if s.note(err) {
			return
		}
		select {
		case <-s.over:
			return
		case <-time.After(pauseTime):
		}
	}
}

func (s *server) start() (*exec.Cmd, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return nil, errors.New("it is over")
	}
	cmd := exec.Command(s.binary, "-addr", s.address, "-db", s.db, "-self=false", "-demo=false") //nolint:gosec // built here
	cmd.Dir, cmd.Env = filepath.Dir(s.log.Name()), append(os.Environ(), "WSX_KEY="+key)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.cmd, s.killed = cmd, false
	return cmd, nil
}

// note counts how the server has ended. It reports whether it should stay so.
func (s *server) note(err error) (over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var exit *exec.ExitError
	switch {
	case s.ending && err == nil, s.killed:
	case !s.ending && errors.As(err, &exit) && exit.ExitCode() == 1:
		s.refused.Add(1)
	default:
		s.crashes.Add(1)
	}
	s.cmd = nil
	return s.ending
}

// await waits until the server answers.
func (s *server) await(ctx context.Context) error {
	for deadline := time.Now().Add(startTime); time.Now().Before(deadline); {
		answer, err := http.Get("http://" + s.address + "/healthz")
		if err == nil {
			_ = answer.Body.Close()
			http.DefaultClient.CloseIdleConnections()
			return nil
		}
		if !sleep(ctx, pauseTime) {
			return ctx.Err()
		}
	}
	said, _ := os.ReadFile(s.log.Name())
	return fmt.Errorf("the server does not answer; it said\n%s", said)
}

// kill ends the server with no chance to say goodbye. When it does not run, it waits until it does.
func (s *server) kill(ctx context.Context) {
	for {
		s.mu.Lock()
		if s.cmd != nil && !s.killed {
			s.killed = true
			_ = s.cmd.Process.Kill()
			s.kills.Add(1)
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		if !sleep(ctx, pauseTime/10) {
			return
		}
	}
}

// stop ends the server in order, which must succeed.
func (s *server) stop() error {
	if err := s.await(context.Background()); err != nil {
		return err
	}
	s.mu.Lock()
	s.ending = true
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(os.Interrupt)
	}
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() { s.done.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-time.After(stopTime):
		return errors.New("the server does not end")
	}
}

// close ends the server if it still runs.
func (s *server) close() {
	s.mu.Lock()
	s.ending = true
	if s.cmd != nil {
		s.killed = true
		_ = s.cmd.Process.Kill()
	}
	s.mu.Unlock()
	close(s.over)
	s.done.Wait()
	_ = s.log.Close()
}
