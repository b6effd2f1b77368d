package main

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// filter chooses readings. The zero value of a field chooses all.
type filter struct {
	device, metric string
	since          time.Time
	limit          int
}

// where returns the condition on readings and its arguments.
func (f filter) where() (string, []any) {
	var conditions []string
	var args []any
	var series []string
	if f.device != "" {
		series, args = append(series, "device = ?"), append(args, f.device)
	}
	if f.metric != "" {
		series, args = append(series, "metric = ?"), append(args, f.metric)
	}
	if len(series) > 0 {
		conditions = append(conditions, "series IN (SELECT id FROM series WHERE "+strings.Join(series, " AND ")+")")
	}
	if !f.since.IsZero() {
		if len(series) == 0 { // so that the index by series and time serves
			conditions = append(conditions, "series IN (SELECT id FROM series)")
		}
		conditions, args = append(conditions, "ts >= ?"), append(args, clampNano(f.since))
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

// readings returns the first f.limit that match, in the order in which they were stored.
func (s *store) readings(ctx context.Context, f filter) ([]reading, error) {
	where, args := f.where()
	// The inner query needs only the index; the outer one fetches no more rows than are wanted.
	//nolint:gosec // where holds placeholders, and nothing of what was asked for
	query := `SELECT s.device, s.metric, r.value, r.ts FROM readings r JOIN series s ON s.id = r.series
		WHERE r.id IN (SELECT id FROM readings WHERE ` + where + ` ORDER BY id LIMIT ?) ORDER BY r.id`
	rows, err := s.read.QueryContext(ctx, query, append(args, f.limit)...)
	if err != nil {
		return nil, err
	}
	return scanReadings(rows)
}

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

// count returns how many readings were ever stored. It reads one row.
func (s *store) count(ctx context.Context) (n int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM readings").Scan(&n)
	return n, err
}

// latest returns the newest reading of each series, by device and metric, of at most limit series.
func (s *store) latest(ctx context.Context, limit int) ([]reading, error) {
	const query = `SELECT s.device, s.metric, r.value, r.ts FROM series s
		JOIN readings r ON r.id = (SELECT id FROM readings WHERE series = s.id ORDER BY ts DESC, id DESC LIMIT 1)
		ORDER BY s.device, s.metric LIMIT ?`
	rows, err := s.read.QueryContext(ctx, query, limit)
	if err != nil {
		return nil, err
	}
	return scanReadings(rows)
}
