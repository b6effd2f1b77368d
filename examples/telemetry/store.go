package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

// store is what the server needs of a database. Its methods may be called at once.
//
// commit and bury are a transaction each, and fail without having done anything or, when the answer to the commit was
// lost, having done all of it: then the same call again does nothing more. When it is the database that fails, and not
// what it was given, their error is an [awayError].
type store interface {
	// commit stores messages in their order, but for those that it has stored before.
	commit(ctx context.Context, messages []message) (outcome, error)
	// bury stores a message whose readings fail by themselves as a dead letter; if they do not fail any more, as
	// readings.
	bury(ctx context.Context, m message) (outcome, error)
	// position returns up to which number the messages of a stream are stored.
	position(ctx context.Context, stream string) (number uint64, known bool, err error)

	// readings returns the first f.limit that match, in the order in which those of each device were stored.
	readings(ctx context.Context, f filter) ([]reading, error)
	// latest returns the newest reading of each series, by device and metric, of at most limit series.
	latest(ctx context.Context, limit int) ([]reading, error)
	// counted returns how many readings and dead letters were ever stored. It reads a few rows.
	counted(ctx context.Context) (readings, deadLetters int64, err error)

	// lanes is how many batches it can take at once.
	lanes() int
	// ping returns nil when it could commit something now.
	ping(ctx context.Context) error
	// close waits for what runs, and closes the database.
	close() error
}

const (
	readers  = 4                // connections that answer queries, beside those that write
	openTime = 15 * time.Second // for the database to be opened and its tables to be made
)

// openStore opens the database that -db names, an SQLite file or a PostgreSQL, and creates what is missing in it. What
// a commit has stored survives a power cut, which is what "stored" means to a device.
func openStore(db string) (store, error) {
	if !isPostgres(db) {
		return openSQLite(db)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTime)
	defer cancel()
	return openPostgres(ctx, db)
}

func isPostgres(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://")
}

// awayError is the error of a database that takes nothing now, whatever it is given: nobody answers, the disk is full,
// another process has locked it.
type awayError struct{ err error }

func (e awayError) Error() string { return fmt.Sprintf("the database is away: %v", e.err) }

// Unwrap makes it a failure of the store, which batch.Hold tries again whole until it succeeds, instead of looking for
// a message that is to blame.
func (e awayError) Unwrap() []error { return []error{batch.ErrUnavailable, e.err} }
