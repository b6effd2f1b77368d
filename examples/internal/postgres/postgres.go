// Package postgres runs PostgreSQL servers of its own, which can be stopped and killed: for tests, and for the ledger
// of the telemetry example. Their data is in a temporary folder and goes with them.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is the one of the user postgres, who needs it on every server.
const Password = "correct horse"

// ErrMissing means that no PostgreSQL is installed, or none that this package can run.
var ErrMissing = errors.New("found no PostgreSQL (initdb and postgres in PATH or /usr/lib/postgresql): " +
	"install the package postgresql, or what your system calls it")

const (
	startTime   = time.Minute // for a server to take connections, after a crash too
	restartTime = 10 * time.Second
	pollEvery   = 50 * time.Millisecond
)

// Server is a PostgreSQL server on 127.0.0.1. Its methods may not be called at once.
type Server struct {
	bin      string // folder of the programs
	dir      string // everything that it writes
	port     int
	settings []string
	cmd      *exec.Cmd
	exited   chan struct{} // closed when cmd has
}

// Start makes a server with an empty cluster and starts it. Settings are lines of its configuration, like "fsync=off".
// The error is ErrMissing when there is none to start.
func Start(settings ...string) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, settings: settings}
	if s.dir, err = os.MkdirTemp("", "postgres"); err != nil {
		return nil, err
	}
	if err = s.initialize(); err == nil {
		err = s.startAnywhere()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// find returns the folder with the programs; of several versions the highest.
func find() (bin string, err error) {
	if !supported {
		return "", ErrMissing
	}
	var folders []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil { // initdb looks for postgres beside itself
			folders = append(folders, filepath.Dir(path))
		}
	}
	installed, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian's, which are not in PATH
	slices.Reverse(installed)
	folders = append(folders, installed...)
	for _, folder := range folders {
		_, noInitdb := os.Stat(filepath.Join(folder, "initdb"))
		_, noServer := os.Stat(filepath.Join(folder, "postgres"))
		if noInitdb == nil && noServer == nil {
			return folder, nil
		}
	}
	return "", ErrMissing
}

// initialize makes the cluster.
func (s *Server) initialize() error {
	password := filepath.Join(s.dir, "password")
	if err := os.WriteFile(password, []byte(Password+"\n"), 0o600); err != nil {
		return err
	}
	for _, path := range []string{s.dir, password} {
		if err := giveAway(path); err != nil {
			return err
		}
	}
	cmd, err := s.program("initdb", "-D", s.data(), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password,
		"-E", "UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// program returns one of PostgreSQL's, which do not run as root.
func (s *Server) program(name string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(filepath.Join(s.bin, name), args...) //nolint:gosec // what find has found
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	return cmd, asOther(cmd)
}

// startAnywhere starts the server on a port that is free; the port may be taken between asking and starting.
func (s *Server) startAnywhere() (err error) {
	for range 3 {
		var ln net.Listener
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		s.port = ln.Addr().(*net.TCPAddr).Port
		_ = ln.Close()
		if err = s.start(); err == nil {
			return nil
		}
	}
	return err
}

// Restart starts the server where it was, after Stop or Kill. It tries more than once: a child that has not noticed yet
// that its parent was killed is in the way.
func (s *Server) Restart() error {
	for deadline := time.Now().Add(restartTime); ; time.Sleep(pollEvery) {
		err := s.start()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

func (s *Server) start() error {
	args := []string{"-D", s.data(), "-p", fmt.Sprint(s.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd, err := s.program("postgres", args...)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	return s.await()
}

// await waits until the server takes connections.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	for {
		err := s.Exec(ctx, "postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the server has ended; it said\n%s", log)
		case <-ctx.Done():
			s.Kill()
			return fmt.Errorf("the server does not answer: %w", err)
		case <-time.After(pollEvery):
		}
	}
}

// Address is the URL of one of the server's databases, with the password.
func (s *Server) Address(database string) string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/%s", strings.ReplaceAll(Password, " ", "%20"), s.port, database)
}

// Exec runs statements in a database.
func (s *Server) Exec(ctx context.Context, database, statements string) error {
	c, err := pgx.Connect(ctx, s.Address(database))
	if err != nil {
		return err
	}
	_, err = c.Exec(ctx, statements)
	return errors.Join(err, c.Close(ctx))
}

// Stop ends the server in order, which breaks its connections off.
func (s *Server) Stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	<-s.exited
}

// Kill ends the server with no chance to write anything down. Its children notice that it has gone, and go too.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// Close ends the server, and deletes what it has written.
func (s *Server) Close() error {
	s.Stop()
	return os.RemoveAll(s.dir)
}
