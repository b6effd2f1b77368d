package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// queries answers what is asked of either database, as the [store] that it is a part of.
type queries struct{ db *sql.DB }

// filter chooses readings. The zero value of a field chooses all.
type filter struct {
	device, metric string
	since          time.Time
	limit          int
}

// where returns the condition on readings and its arguments.
func (f filter) where() (condition string, args []any) {
	argument := func(value any) string {
		args = append(args, value)
		return fmt.Sprintf("$%d", len(args))
	}
	var conditions, series []string
	if f.device != "" {
		series = append(series, "device = "+argument(f.device))
	}
	if f.metric != "" {
		series = append(series, "metric = "+argument(f.metric))
	}
	if len(series) > 0 {
		conditions = append(conditions, "series IN (SELECT id FROM series WHERE "+strings.Join(series, " AND ")+")")
	}
	if !f.since.IsZero() {
		if len(series) == 0 { // so that the index by series and time serves
			conditions = append(conditions, "series IN (SELECT id FROM series)")
		}
		conditions = append(conditions, "ts >= "+argument(clampNano(f.since)))
	}
	if len(conditions) == 0 {
		return "TRUE", args
	}
	return strings.Join(conditions, " AND "), args
}

// clampNano is the instant in nanoseconds, or the nearest that 64 bits hold.
func clampNano(t time.Time) int64 {
	switch {
	case t.Before(minTS):
		return minTS.UnixNano()
	case t.After(maxTS):
		return maxTS.UnixNano()
	}
	return t.UnixNano()
}

func (q queries) readings(ctx context.Context, f filter) ([]reading, error) {
	if unknown(f.device) || unknown(f.metric) {
		return []reading{}, nil
	}
	where, args := f.where()
	args = append(args, f.limit)
	// The inner query needs only the index; the outer one fetches no more rows than are wanted.
	//nolint:gosec // where holds placeholders, and nothing of what was asked for
	query := `SELECT s.device, s.metric, r.value, r.ts FROM readings r JOIN series s ON s.id = r.series
		WHERE r.id IN (SELECT id FROM readings WHERE ` + where + fmt.Sprintf(` ORDER BY id LIMIT $%d) ORDER BY r.id`, len(args))
	rows, err := q.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return scanReadings(rows)
}

// unknown reports whether a name is none that anything can have; PostgreSQL would refuse some of these.
func unknown(name string) bool { return name != "" && checkName(name) != nil }

// scanReadings reads rows of device, metric, value and time to their end. None is an empty slice, not nil.
func scanReadings(rows *sql.Rows) ([]reading, error) {
	defer func() { _ = rows.Close() }()
	found := []reading{}
	for rows.Next() {
		var r reading
		var ns int64
		if err := rows.Scan(&r.Device, &r.Metric, &r.Value, &ns); err != nil {
			return nil, err
		}
		r.TS = time.Unix(0, ns).UTC()
		found = append(found, r)
	}
	return found, rows.Err()
}

func (q queries) latest(ctx context.Context, limit int) ([]reading, error) {
	const query = `SELECT s.device, s.metric, r.value, r.ts FROM series s
		JOIN readings r ON r.id = (SELECT id FROM readings WHERE series = s.id ORDER BY ts DESC, id DESC LIMIT 1)
		ORDER BY s.device, s.metric LIMIT $1`
	rows, err := q.db.QueryContext(ctx, query, limit)
	if err != nil {
		return nil, err
	}
	return scanReadings(rows)
}
