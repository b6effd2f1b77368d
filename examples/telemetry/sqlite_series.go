package main

import (
	"context"
	"database/sql"
	"maps"
)

// insertReadings returns the ids of the readings' series, for remember once they are committed.
func (s *sqliteStore) insertReadings(ctx context.Context, tx *sql.Tx, readings []reading) (map[seriesKey]int64, error) {
	found, err := s.resolve(ctx, tx, readings)
	if err != nil {
		return nil, err
	}
	stmt, err := tx.PrepareContext(ctx, "INSERT INTO readings (series, ts, value) VALUES ($1, $2, $3)")
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
func (s *sqliteStore) resolve(ctx context.Context, tx *sql.Tx, readings []reading) (map[seriesKey]int64, error) {
	found := make(map[seriesKey]int64)
	s.recall(readings, found)
	for _, r := range readings {
		key := seriesKey{r.Device, r.Metric}
		if _, ok := found[key]; ok {
			continue
		}
		const create = "INSERT INTO series (device, metric) VALUES ($1, $2) ON CONFLICT DO NOTHING"
		if _, err := tx.ExecContext(ctx, create, r.Device, r.Metric); err != nil {
			return nil, err
		}
		var id int64
		const query = "SELECT id FROM series WHERE device = $1 AND metric = $2"
		if err := tx.QueryRowContext(ctx, query, r.Device, r.Metric).Scan(&id); err != nil {
			return nil, err
		}
		found[key] = id
	}
	return found, nil
}

// recall copies to found what is in memory about the readings' series.
func (s *sqliteStore) recall(readings []reading, found map[seriesKey]int64) {
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
func (s *sqliteStore) remember(found map[seriesKey]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.series)+len(found) > maxCached {
		clear(s.series)
	}
	maps.Copy(s.series, found)
}
