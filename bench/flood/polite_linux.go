package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// polite are clients that do nothing wrong, in a process of their own: see [crowd].
type polite struct {
	cmd    *exec.Cmd
	orders io.WriteCloser
	told   *json.Decoder
	said   tail
}

// orders to the process; each is one byte, and answered with a [figures].
const (
	orderRecord = 'r' // tell what was since the last one
	orderSettle = 's' // send nothing any more, wait for the echoes, tell
)

// connectPolite starts the process, whose clients connect and then send.
func connectPolite(addr string, n int) (*polite, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &polite{}
	p.cmd = exec.CommandContext(context.Background(), self, "-polite", "-target", addr, "-clients", strconv.Itoa(n)) //nolint:gosec // itself
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Env = append(os.Environ(), "GOMAXPROCS=1", childEnv+"=1")
	p.cmd.Stderr = &p.said
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if p.orders, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	p.told = json.NewDecoder(out)
	// The kernel kills the child when the thread that started it ends: this one has to live on.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := p.order(orderRecord); err != nil { // all have connected
		p.stop()
		return nil, fmt.Errorf("polite clients: %w: %s", err, &p.said)
	}
	return p, nil
}

func (p *polite) order(what byte) (f figures, err error) {
	if _, err := p.orders.Write([]byte{what}); err != nil {
		return f, err
	}
	return f, p.told.Decode(&f)
}

// record returns what was since the last call.
func (p *polite) record() (figures, error) { return p.order(orderRecord) }

// settled ends the sending, and returns what went wrong for these clients. An echo that is late is one all the same:
// how late it was, the figures say.
func (p *polite) settled() error {
	f, err := p.order(orderSettle)
	if err == nil && f.Failed != "" {
		err = errors.New(f.Failed)
	}
	return err
}

func (p *polite) stop() {
	_ = p.orders.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
