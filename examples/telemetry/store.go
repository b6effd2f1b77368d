package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // SQLite in Go: no C compiler needed
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
	readers   = 4               // connections that answer queries, beside the one that writes
	busyWait  = 5 * time.Second // for a lock that another process holds
	maxCached = 100_000         // series whose ids are kept in memory
)

// store keeps readings in an SQLite database. Its methods may be called at once; inserts wait for each other.
type store struct {
	write *sql.DB // one connection: SQLite has one writer
	read  *sql.DB // write-ahead logging lets them read while it writes

	mu     sync.Mutex // guards what follows
	series map[seriesKey]int64
}

type seriesKey struct{ device, metric string }

// openStore opens the database at path and creates what is missing. What an insert has committed survives a
// power cut, which is what "stored" means to a device: synchronous=FULL waits for the disk, once a batch.
func openStore(path string) (*store, error) {
	write, err := openPool(path, 1, "journal_mode(WAL)", "synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	s := &store{write: write, series: make(map[seriesKey]int64)}
	if err = s.migrate(); err == nil {
		s.read, err = openPool(path, readers, "query_only(1)")
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
func (s *store) migrate() error {
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
func (s *store) close() error {
	return errors.Join(s.read.Close(), s.write.Close())
}

// insert stores readings in one transaction and in their order: all of them, or after an error none.
func (s *store) insert(ctx context.Context, readings []reading) error {
	if len(readings) == 0 {
		return nil
	}
	var found map[seriesKey]int64
	err := s.transact(ctx, func(tx *sql.Tx) (err error) {
		found, err = s.insertReadings(ctx, tx, readings)
		return err
	})
	if err == nil {
		s.remember(found)
	}
	return err
}

// transact commits what do has done, or after an error nothing.
func (s *store) transact(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// insertReadings returns the ids of the readings' series, for remember once they are committed.
func (s *store) insertReadings(ctx context.Context, tx *sql.Tx, readings []reading) (map[seriesKey]int64, error) {
	found, err := s.resolve(ctx, tx, readings)
	if err != nil {
		return nil, err
	}
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO readings (series, ts, value) VALUES (?, ?, ?)")
	if err != nil {
		return nil, err
	}
	defer func() { _ = stmt.Close() }()
	for _, r := range readings {
		id := found[seriesKey{r.Device, r.Metric}]
		if _, err := stmt.ExecContext(ctx, id, r.TS.UnixNano(), r.Value); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// resolve finds the id of each reading's series and creates those that are new.
func (s *store) resolve(ctx context.Context, tx *sql.Tx, readings []reading) (map[seriesKey]int64, error) {
	found := make(map[seriesKey]int64)
	s.recall(readings, found)
	for _, r := range readings {
		key := seriesKey{r.Device, r.Metric}
		if _, ok := found[key]; ok {
			continue
		}
		const create = "INSERT INTO series (device, metric) VALUES (?, ?) ON CONFLICT DO NOTHING"
		if _, err := tx.ExecContext(ctx, create, r.Device, r.Metric); err != nil {
			return nil, err
		}
		var id int64
		const query = "SELECT id FROM series WHERE device = ? AND metric = ?"
		if err := tx.QueryRowContext(ctx, query, r.Device, r.Metric).Scan(&id); err != nil {
			return nil, err
		}
		found[key] = id
	}
	return found, nil
}

// recall copies to found what is in memory about the readings' series.
func (s *store) recall(readings []reading, found map[seriesKey]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range readings {
		key := seriesKey{r.Device, r.Metric}
		if id, ok := s.series[key]; ok {
			found[key] = id
		}
	}
}

// remember keeps ids that are committed; those of a transaction that failed would point nowhere.
func (s *store) remember(found map[seriesKey]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.series)+len(found) > maxCached {
		clear(s.series)
	}
	maps.Copy(s.series, found)
}
