package main

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// lanesAtOnce is how many batches are stored at once; each takes a connection.
func lanesAtOnce() int { return max(2, runtime.GOMAXPROCS(0)) }

func (s *pgStore) commit(ctx context.Context, messages []message) (o outcome, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		o, err = deliver(ctx, tx, messages)
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	return o, nil
}

// bury tries to store the readings of a message once more, and when they are refused again makes it a dead letter. As
// both happen in one transaction, a database that commits the one was well enough to take the other.
func (s *pgStore) bury(ctx context.Context, m message) (o outcome, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		// Nobody changes the tables between the two attempts; a savepoint that is rolled back gives its locks up.
		if _, err := tx.Exec(ctx, "LOCK TABLE readings, dead_letters IN ROW EXCLUSIVE MODE"); err != nil {
			return err
		}
		if alone := m; len(m.readings) > 0 {
			alone.reason = ""
			err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) (err error) { // a savepoint
				o, err = deliver(ctx, tx, []message{alone})
				return err
			})
			if err == nil && o.duplicates > 0 { // an earlier call has stored it: as what?
				const query = "SELECT EXISTS (SELECT 1 FROM dead_letters WHERE device = $1 AND number = $2)"
				return tx.QueryRow(ctx, query, m.device, int64(m.number)).Scan(&o.buried)
			}
			if err == nil || !refusesData(err) {
				return err
			}
		}
		m.readings = nil
		o, err = deliver(ctx, tx, []message{m})
		o.buried = true
		return err
	})
	if err != nil {
		return outcome{}, err
	}
	return o, nil
}

// deliver stores what is new among messages, and the positions of their streams.
func deliver(ctx context.Context, tx pgx.Tx, messages []message) (outcome, error) {
	stored, err := lockPositions(ctx, tx, streamsOf(messages))
	if err != nil {
		return outcome{}, err
	}
	fresh, raised, o := advance(messages, stored)
	if len(fresh) == 0 {
		return o, nil
	}
	readings := readingsOf(fresh)
	if err := stage(ctx, tx, readings); err != nil {
		return o, err
	}
	var rest pgx.Batch // one round trip
	updatePositions(&rest, raised)
	insertReadings(&rest, len(readings))
	letters := insertLetters(&rest, fresh)
	const count = `INSERT INTO counted VALUES (pg_backend_pid() % 64, $1, $2) ON CONFLICT (slot) DO UPDATE
		SET readings = counted.readings + excluded.readings, dead_letters = counted.dead_letters + excluded.dead_letters`
	rest.Queue(count, len(readings), letters)
	return o, tx.SendBatch(ctx, &rest).Close()
}

// lockPositions returns the stored positions of streams, and keeps them for this transaction: a process that was killed
// may have left one behind whose commit is still on its way, and this one waits for it. A stream without a position
// gets a row with 0, which is none.
func lockPositions(ctx context.Context, tx pgx.Tx, streams []string) (map[string]uint64, error) {
	stored := make(map[string]uint64)
	if len(streams) == 0 {
		return stored, nil
	}
	var lock pgx.Batch
	lock.Queue("INSERT INTO positions SELECT unnest($1::text[]), 0 ON CONFLICT DO NOTHING", streams)
	const read = "SELECT stream, number FROM positions WHERE stream = ANY($1) ORDER BY stream FOR UPDATE"
	lock.Queue(read, streams).Query(func(rows pgx.Rows) error {
		var stream string
		var number int64
		_, err := pgx.ForEachRow(rows, []any{&stream, &number}, func() error {
			if number > 0 {
				stored[stream] = uint64(number)
			}
			return nil
		})
		return err
	})
	return stored, tx.SendBatch(ctx, &lock).Close()
}

// updatePositions writes positions whose rows are there and locked.
func updatePositions(to *pgx.Batch, raised map[string]uint64) {
	streams, numbers := make([]string, 0, len(raised)), make([]int64, 0, len(raised))
	for stream, number := range raised {
		streams, numbers = append(streams, stream), append(numbers, int64(number))
	}
	if len(streams) > 0 {
		to.Queue(`UPDATE positions SET number = raised.number FROM unnest($1::text[], $2::bigint[]) AS raised (stream, number)
			WHERE positions.stream = raised.stream`, streams, numbers)
	}
}

// stage copies readings to where insertReadings takes them from.
func stage(ctx context.Context, tx pgx.Tx, readings []reading) error {
	if len(readings) == 0 {
		return nil
	}
	columns := []string{"place", "device", "metric", "ts", "value"}
	n, err := tx.CopyFrom(ctx, pgx.Identifier{"staging"}, columns, pgx.CopyFromSlice(len(readings), func(i int) ([]any, error) {
		r := readings[i]
		return []any{int32(i), r.Device, r.Metric, r.TS.UnixNano(), r.Value}, nil
	}))
	if err == nil && n != int64(len(readings)) {
		err = fmt.Errorf("%d readings were copied, and not %d", n, len(readings))
	}
	return err
}

// insertReadings stores the n readings that were staged, in their order. Their series that are new are made in the
// order of their names, so that two transactions that make the same ones do not wait for each other in a circle.
func insertReadings(to *pgx.Batch, n int) {
	if n == 0 {
		return
	}
	to.Queue(`INSERT INTO series (device, metric) SELECT DISTINCT device, metric FROM staging
		WHERE NOT EXISTS (SELECT FROM series WHERE series.device = staging.device AND series.metric = staging.metric)
		ORDER BY device, metric ON CONFLICT DO NOTHING`)
	insert := to.Queue(`INSERT INTO readings (series, ts, value) SELECT series.id, ts, value
		FROM staging JOIN series USING (device, metric) ORDER BY place`)
	insert.Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(n) {
			return fmt.Errorf("%d readings were stored, and not %d", tag.RowsAffected(), n)
		}
		return nil
	})
}

// insertLetters stores the dead letters among messages, and deletes those for which there is no room any more.
func insertLetters(to *pgx.Batch, messages []message) (letters int) {
	const add = "INSERT INTO dead_letters (ts, device, number, reason, body) VALUES ($1, $2, $3, $4, coalesce($5, ''::bytea))"
	for _, m := range messages {
		if m.reason != "" {
			letters++
			to.Queue(add, m.at.UnixNano(), m.device, int64(m.number), asText(m.reason), m.body)
		}
	}
	if letters > 0 {
		to.Queue("DELETE FROM dead_letters WHERE id <= (SELECT id FROM dead_letters ORDER BY id DESC OFFSET $1 LIMIT 1)", maxDeadLetters)
	}
	return letters
}

// asText makes of a text one that PostgreSQL takes, which knows no zero byte.
func asText(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
