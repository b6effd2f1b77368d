package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"time"

	"github.com/fiberwsx/wsx/examples/internal/postgres"
	_ "github.com/jackc/pgx/v5/stdlib" // for database/sql
	_ "modernc.org/sqlite"             // likewise
)

// database is what the server stores in.
type database interface {
	// address is what the server's -db gets.
	address() string
	// outage takes the database away for the i-th time, for that long.
	outage(ctx context.Context, i int, length time.Duration) error
	// open opens it beside the server.
	open() (*sql.DB, error)
	close() error
}

func openDatabase(kind, dir string) (database, error) {
	if kind == "sqlite" {
		return sqlite{filepath.Join(dir, "telemetry.db")}, nil
	}
	s, err := postgres.Start()
	return pgsql{s}, err
}

// sqlite is a file.
type sqlite struct{ path string }

func (s sqlite) address() string { return s.path }
func (s sqlite) close() error    { return nil }
func (s sqlite) open() (*sql.DB, error) {
	return sql.Open("sqlite", s.path+"?_pragma=busy_timeout(20000)")
}

// outage locks the file.
func (s sqlite) outage(ctx context.Context, _ int, length time.Duration) (err error) {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err := c.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		return err
	}
	sleep(ctx, length)
	_, err = c.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
	return err
}

// pgsql is a server of its own.
type pgsql struct{ server *postgres.Server }

func (p pgsql) address() string        { return p.server.Address("postgres") }
func (p pgsql) close() error           { return p.server.Close() }
func (p pgsql) open() (*sql.DB, error) { return sql.Open("pgx", p.address()) }

// outage stops the server in order the first time, and kills it later.
func (p pgsql) outage(ctx context.Context, i int, length time.Duration) error {
	if i == 0 {
		p.server.Stop()
	} else {
		p.server.Kill()
	}
	sleep(ctx, length)
	return p.server.Restart()
}
