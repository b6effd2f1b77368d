package main

import (
	"context"
	"database/sql"
	"errors"
)

// maxDeadLetters are kept, the newest ones: a device that sends nothing but garbage must not fill the disk.
const maxDeadLetters = 10_000

// commit stores messages in one transaction and in their order, with the positions of their streams, but for those that
// are at or below the stored position: an earlier commit has them, whose answer was lost.
func (s *store) commit(ctx context.Context, messages []message) (o outcome, err error) {
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
func (s *store) deliver(ctx context.Context, tx *sql.Tx, messages []message) (map[seriesKey]int64, outcome, error) {
	fresh, o, err := advance(ctx, tx, messages)
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
func (s *store) bury(ctx context.Context, m message) (o outcome, err error) {
	var found map[seriesKey]int64
	err = s.transact(ctx, func(tx *sql.Tx) (err error) {
		if _, err = tx.ExecContext(ctx, "SAVEPOINT alone"); err != nil {
			return err
		}
		if alone := m; len(m.readings) > 0 {
			alone.reason = ""
			if found, o, err = s.deliver(ctx, tx, []message{alone}); err == nil {
				return findBuried(ctx, tx, m, &o)
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
	const query = "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE device = ? AND number = ?)"
	return tx.QueryRowContext(ctx, query, m.device, int64(m.number)).Scan(&o.buried)
}

// advance raises the positions of the messages' streams to them and returns those that are not stored yet. What comes
// without a number always counts as new.
func advance(ctx context.Context, tx *sql.Tx, messages []message) (fresh []message, o outcome, err error) {
	before, now := make(map[string]uint64), make(map[string]uint64)
	for _, m := range messages {
		last, seen := now[m.device]
		if m.number > 0 && !seen {
			var known bool
			if last, known, err = readPosition(ctx, tx, m.device); err != nil {
				return nil, o, err
			}
			before[m.device], now[m.device] = last, last
			if !known {
				last = m.number - 1 // a stream that begins here
			}
		}
		switch {
		case m.number == 0:
		case m.number <= last:
			o.duplicates++
			continue
		default:
			o.gaps += m.number - last - 1
			now[m.device] = m.number
		}
		fresh = append(fresh, m)
	}
	for stream, number := range now {
		if number == before[stream] {
			continue
		}
		const raise = `INSERT INTO positions (stream, number) VALUES (?, ?)
			ON CONFLICT (stream) DO UPDATE SET number = excluded.number`
		if _, err := tx.ExecContext(ctx, raise, stream, int64(number)); err != nil {
			return nil, o, err
		}
	}
	return fresh, o, nil
}

func insertDeadLetter(ctx context.Context, tx *sql.Tx, m message) error {
	const add = "INSERT INTO dead_letters (ts, device, number, reason, body) VALUES (?, ?, ?, ?, coalesce(?, x'')) RETURNING id"
	var id int64
	if err := tx.QueryRowContext(ctx, add, m.at.UnixNano(), m.device, int64(m.number), m.reason, m.body).Scan(&id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, "DELETE FROM dead_letters WHERE id <= ?", id-maxDeadLetters)
	return err
}

// position returns up to which number the messages of a stream are stored.
func (s *store) position(ctx context.Context, stream string) (number uint64, known bool, err error) {
	return readPosition(ctx, s.read, stream)
}

// querier is what a database and a transaction have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func readPosition(ctx context.Context, from querier, stream string) (number uint64, known bool, err error) {
	var stored int64
	err = from.QueryRowContext(ctx, "SELECT number FROM positions WHERE stream = ?", stream).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return uint64(stored), err == nil, err
}

// countDeadLetters returns how many dead letters were ever written. It reads one row.
func (s *store) countDeadLetters(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM dead_letters").Scan(&n)
	return n, err
}
