package main

import (
	"context"
	"database/sql"
	"errors"
)

func (s *sqliteStore) commit(ctx context.Context, messages []message) (o outcome, err error) {
	var found map[seriesKey]int64
	err = s.transact(ctx, func(tx *sql.Tx) (err error) {
		found, o, err = s.deliver(ctx, tx, messages)
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	s.remember(found)
	return o, nil
}

// deliver does what commit does, but for committing it.
func (s *sqliteStore) deliver(ctx context.Context, tx *sql.Tx, messages []message) (map[seriesKey]int64, outcome, error) {
	fresh, o, err := raise(ctx, tx, messages)
	if err != nil {
		return nil, o, err
	}
	found, err := s.insertReadings(ctx, tx, readingsOf(fresh))
	if err != nil {
		return nil, o, err
	}
	for _, m := range fresh {
		if m.reason != "" {
			if err := insertDeadLetter(ctx, tx, m); err != nil {
				return nil, o, err
			}
		}
	}
	return found, o, nil
}

// bury tries to store the readings of a message once more, and else makes it a dead letter. As both happen in one
// transaction, a database that commits the one was well enough to take the other.
func (s *sqliteStore) bury(ctx context.Context, m message) (o outcome, err error) {
	var found map[seriesKey]int64
	err = s.transact(ctx, func(tx *sql.Tx) (err error) {
		if _, err = tx.ExecContext(ctx, "SAVEPOINT alone"); err != nil {
			return err
		}
		if alone := m; len(m.readings) > 0 {
			alone.reason = ""
			found, o, err = s.deliver(ctx, tx, []message{alone})
			if err == nil {
				return findBuried(ctx, tx, m, &o)
			}
			if !blamesData(err) {
				return err
			}
		}
		if _, err = tx.ExecContext(ctx, "ROLLBACK TO alone"); err != nil {
			return err
		}
		m.readings = nil
		_, o, err = s.deliver(ctx, tx, []message{m})
		o.buried = true
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	s.remember(found)
	return o, nil
}

// findBuried finds out which of the two a message has become that an earlier call has stored.
func findBuried(ctx context.Context, tx *sql.Tx, m message, o *outcome) error {
	if o.duplicates == 0 {
		return nil
	}
	const query = "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE device = $1 AND number = $2)"
	return tx.QueryRowContext(ctx, query, m.device, int64(m.number)).Scan(&o.buried)
}

// raise reads the positions of the messages' streams, and writes those that come after them.
func raise(ctx context.Context, tx *sql.Tx, messages []message) (fresh []message, o outcome, err error) {
	stored := make(map[string]uint64)
	for _, stream := range streamsOf(messages) {
		number, known, err := readPosition(ctx, tx, stream)
		if err != nil {
			return nil, o, err
		}
		if known {
			stored[stream] = number
		}
	}
	fresh, raised, o := advance(messages, stored)
	for stream, number := range raised {
		const write = `INSERT INTO positions (stream, number) VALUES ($1, $2)
			ON CONFLICT (stream) DO UPDATE SET number = excluded.number`
		if _, err := tx.ExecContext(ctx, write, stream, int64(number)); err != nil {
			return nil, o, err
		}
	}
	return fresh, o, nil
}

func insertDeadLetter(ctx context.Context, tx *sql.Tx, m message) error {
	const add = "INSERT INTO dead_letters (ts, device, number, reason, body) VALUES ($1, $2, $3, $4, coalesce($5, x'')) RETURNING id"
	var id int64
	if err := tx.QueryRowContext(ctx, add, m.at.UnixNano(), m.device, int64(m.number), m.reason, m.body).Scan(&id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM dead_letters WHERE id <= $1", id-maxDeadLetters)
	return err
}

func (s *sqliteStore) position(ctx context.Context, stream string) (number uint64, known bool, err error) {
	return readPosition(ctx, s.db, stream)
}

// querier is what a database and a transaction have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readPosition(ctx context.Context, from querier, stream string) (number uint64, known bool, err error) {
	var stored int64
	err = from.QueryRowContext(ctx, "SELECT number FROM positions WHERE stream = $1", stream).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return uint64(stored), err == nil, err
}
