package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite" // SQLite in Go: no C compiler needed
	codes "modernc.org/sqlite/lib"
)

// schemaVersion is the database's user_version. A change of the schema raises it and adds a step to migrate.
const schemaVersion = 2

// schema is what version 1 had, and deliverySchema what version 2 has added.
//
// The ids of readings rise by one with each that is stored, so they are the order of storing, and the highest is
// the number of readings ever stored. A series, which is one metric of one device, has its names once.
const schema = `
CREATE TABLE series (
	id     INTEGER PRIMARY KEY,
	device TEXT NOT NULL,
	metric TEXT NOT NULL,
	UNIQUE (device, metric)
) STRICT;
CREATE TABLE readings (
	id     INTEGER PRIMARY KEY,
	series INTEGER NOT NULL REFERENCES series (id),
	ts     INTEGER NOT NULL, -- nanoseconds since 1970, UTC
	value  REAL NOT NULL
) STRICT;
CREATE INDEX readings_by_series ON readings (series, ts);
`

// A position says up to which number the messages of a stream, which is a device, are stored or are dead letters.
const deliverySchema = `
CREATE TABLE positions (
	stream TEXT PRIMARY KEY,
	number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letters (
	id     INTEGER PRIMARY KEY,
	ts     INTEGER NOT NULL, -- when it was read; nanoseconds since 1970, UTC
	device TEXT NOT NULL,
	number INTEGER NOT NULL, -- in the stream; 0 from a device without acks
	reason TEXT NOT NULL,
	body   BLOB NOT NULL     -- the whole message
) STRICT;
`

const (
	busyWait  = 5 * time.Second // for a lock that another process holds
	maxCached = 100_000         // series whose ids are kept in memory
)

// sqliteStore is a store in an SQLite database. Commits wait for each other.
type sqliteStore struct {
	queries         // write-ahead logging lets them read while it writes
	write   *sql.DB // one connection: SQLite has one writer

	mu     sync.Mutex // guards what follows
	series map[seriesKey]int64
}

type seriesKey struct{ device, metric string }

// openSQLite opens the database at path and creates what is missing. synchronous=FULL waits for the disk, once a batch.
func openSQLite(path string) (*sqliteStore, error) {
	write, err := openPool(path, 1, "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	s := &sqliteStore{write: write, series: make(map[seriesKey]int64)}
	if err = s.migrate(); err == nil {
		s.db, err = openPool(path, readers, "query_only(1)")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), write.Close())
	}
	return s, nil
}

func openPool(path string, conns int, pragmas ...string) (*sql.DB, error) {
	pragmas = append([]string{fmt.Sprintf("busy_timeout(%d)", busyWait.Milliseconds())}, pragmas...)
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	name := (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+name+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// migrate brings the database to schemaVersion in one transaction.
func (s *sqliteStore) migrate() error {
	tx, err := s.write.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	var version int
	if err := tx.QueryRow("PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("its schema has version %d and this program knows %d", version, schemaVersion)
	}
	for _, step := range []string{schema, deliverySchema}[version:] {
		if _, err := tx.Exec(step); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(fmt.Sprintf("PRAGMA user_version = %d", schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// close waits for the statements that run and closes the database.
func (s *sqliteStore) close() error {
	return errors.Join(s.db.Close(), s.write.Close())
}

// lanes is one: SQLite has one writer.
func (s *sqliteStore) lanes() int { return 1 }

// ping begins to write, and does not. It waits for the commit that runs.
func (s *sqliteStore) ping(ctx context.Context) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return tx.Rollback()
}

// counted reads the highest ids, which rise by one.
func (s *sqliteStore) counted(ctx context.Context) (readings, deadLetters int64, err error) {
	const query = "SELECT coalesce((SELECT max(id) FROM readings), 0), coalesce((SELECT max(id) FROM dead_letters), 0)"
	err = s.db.QueryRowContext(ctx, query).Scan(&readings, &deadLetters)
	return readings, deadLetters, err
}

// transact commits what do has done, or after an error nothing.
func (s *sqliteStore) transact(ctx context.Context, do func(tx *sql.Tx) error) (err error) {
	tx, err := s.write.BeginTx(ctx, nil)
	if err == nil {
		defer func() { _ = tx.Rollback() }() // after a commit it does nothing
		if err = do(tx); err == nil {
			err = tx.Commit()
		}
	}
	if err == nil || blamesData(err) {
		return err
	}
	return awayError{err}
}

// blamesData reports whether SQLite has refused what it was given, and not failed itself.
func blamesData(err error) bool {
	var e *driver.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff { // above it are details
	case codes.SQLITE_CONSTRAINT, codes.SQLITE_TOOBIG, codes.SQLITE_MISMATCH:
		return true
	}
	return false
}
