package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	dialTime     = 5 * time.Second  // to reach a server, unless the address has a connect_timeout
	transactTime = 30 * time.Second // for one transaction, after which it is tried again
)

// pgStore is a store in a PostgreSQL. Its lanes write at once, each over a connection of its own.
type pgStore struct {
	queries
	write *pgxpool.Pool
	limit time.Duration // for one transaction
}

// openPostgres connects to the server that a URL names and creates what is missing. Its errors are one sentence, and
// never hold the password.
func openPostgres(ctx context.Context, db string) (*pgStore, error) {
	cfg, err := parsePostgres(db)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = int32(lanesAtOnce() + 2) // one for positions and one for pings, which must not wait for the lanes
	cfg.AfterConnect = prepare
	write, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, explain(cfg.ConnConfig, err)
	}
	if err := migratePostgres(ctx, write); err != nil {
		write.Close()
		return nil, explain(cfg.ConnConfig, err)
	}
	read := stdlib.OpenDB(*cfg.ConnConfig)
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	return &pgStore{queries{read}, write, transactTime}, nil
}

// prepare makes a connection ready to write: committed means on the disk even where the server's default is less; a
// transaction whose program has gone without a word does not hold its locks for ever; and there is a table to copy
// readings into, which no other connection sees and no crash needs to recover.
func prepare(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `
		SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
		SET idle_in_transaction_session_timeout = '60s';
		CREATE TEMPORARY TABLE staging (
			place  integer NOT NULL,
			device text COLLATE "C" NOT NULL,
			metric text COLLATE "C" NOT NULL,
			ts     bigint NOT NULL,
			value  double precision NOT NULL
		) ON COMMIT DELETE ROWS`)
	return err
}

func (s *pgStore) lanes() int { return lanesAtOnce() }

// ping fails, too, when the server is a standby, which only reads.
func (s *pgStore) ping(ctx context.Context) error {
	var standby bool
	err := s.write.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby)
	if err == nil && standby {
		err = errors.New("the server is a standby, which takes nothing")
	}
	return err
}

// close waits for the statements that run and closes the connections.
func (s *pgStore) close() error {
	s.write.Close()
	return s.db.Close()
}

// transact commits what do has done, or after an error nothing; unless it is the answer to the commit that was lost. It
// gives up after a time: a server whose machine has gone does not say so.
func (s *pgStore) transact(ctx context.Context, do func(ctx context.Context, tx pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	options := pgx.TxOptions{IsoLevel: pgx.ReadCommitted} // so that what waited for a lock sees what was committed
	err := pgx.BeginTxFunc(ctx, s.write, options, func(tx pgx.Tx) error { return do(ctx, tx) })
	if err == nil || refusesData(err) {
		return err
	}
	return awayError{err}
}

// refusesData reports whether PostgreSQL has refused what it was given: by its type, by a constraint or by a trigger.
// Whatever else happens is not a message's fault; a deadlock and a missing right are not, either.
func refusesData(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) || len(e.Code) != 5 {
		return false
	}
	switch e.Code[:2] {
	case "22", "23", "P0":
		return true
	}
	return false
}

func (s *pgStore) position(ctx context.Context, stream string) (number uint64, known bool, err error) {
	var stored int64
	err = s.write.QueryRow(ctx, "SELECT number FROM positions WHERE stream = $1", stream).Scan(&stored)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return uint64(stored), stored > 0, err
}

func (s *pgStore) counted(ctx context.Context) (readings, deadLetters int64, err error) {
	const query = "SELECT coalesce(sum(readings), 0)::bigint, coalesce(sum(dead_letters), 0)::bigint FROM counted"
	err = s.write.QueryRow(ctx, query).Scan(&readings, &deadLetters)
	if err != nil {
		err = fmt.Errorf("count what is stored: %w", err)
	}
	return readings, deadLetters, err
}
