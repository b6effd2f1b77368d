package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresSchema are the steps from nothing to this program's tables, which are those of SQLite. Steps are added at the
// end; the table telemetry_schema says how many have been taken.
//
// The ids of readings rise in the order of storing for each device; lanes that store at once share them out between
// them, and what fails leaves gaps. So what was ever stored is counted by itself, in a few rows, of which each
// connection takes one: in a single row the lanes would wait for each other. Names sort by their bytes, as in SQLite.
var postgresSchema = []string{`
CREATE TABLE series (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	device text COLLATE "C" NOT NULL,
	metric text COLLATE "C" NOT NULL,
	UNIQUE (device, metric)
);
CREATE TABLE readings (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	series bigint NOT NULL REFERENCES series (id),
	ts     bigint NOT NULL, -- nanoseconds since 1970, UTC
	value  double precision NOT NULL
);
CREATE INDEX readings_by_series ON readings (series, ts, id);
CREATE TABLE positions (
	stream text COLLATE "C" PRIMARY KEY,
	number bigint NOT NULL -- up to which the messages of the stream are stored or are dead letters
);
CREATE TABLE dead_letters (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	ts     bigint NOT NULL, -- when it was read; nanoseconds since 1970, UTC
	device text COLLATE "C" NOT NULL,
	number bigint NOT NULL, -- in the stream; 0 from a device without acks
	reason text NOT NULL,
	body   bytea NOT NULL   -- the whole message
);
CREATE TABLE counted (
	slot         integer PRIMARY KEY,
	readings     bigint NOT NULL,
	dead_letters bigint NOT NULL
);
`}

// migrationLock is the number of the lock that a server holds while it makes the tables: two may start at once.
const migrationLock = 0x77737874656c65 // "wsxtele"

// migratePostgres brings the database up to date in one transaction.
func migratePostgres(ctx context.Context, db *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
			return err
		}
		version, err := postgresVersion(ctx, tx)
		if err != nil || version == len(postgresSchema) {
			return err
		}
		if version > len(postgresSchema) {
			return fmt.Errorf("its schema has version %d and this program knows %d", version, len(postgresSchema))
		}
		for _, step := range postgresSchema[version:] {
			if _, err := tx.Exec(ctx, step); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "UPDATE telemetry_schema SET version = $1", len(postgresSchema))
		return err
	})
}

// postgresVersion returns how many steps have been taken. Where there are none yet it makes room for the number.
func postgresVersion(ctx context.Context, tx pgx.Tx) (version int, err error) {
	var encoding string
	var exists bool
	const query = "SELECT current_setting('server_encoding'), to_regclass('telemetry_schema') IS NOT NULL"
	if err := tx.QueryRow(ctx, query).Scan(&encoding, &exists); err != nil {
		return 0, err
	}
	if encoding != "UTF8" {
		return 0, errors.New("its encoding is " + encoding + ", and names need UTF8")
	}
	if !exists {
		_, err = tx.Exec(ctx, "CREATE TABLE telemetry_schema (version integer NOT NULL); INSERT INTO telemetry_schema VALUES (0)")
		return 0, err
	}
	err = tx.QueryRow(ctx, "SELECT version FROM telemetry_schema").Scan(&version)
	return version, err
}
