package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/examples/internal/postgres"
)

// onEach runs a test with a new database of either kind.
func onEach(t *testing.T, test func(t *testing.T, db string)) {
	t.Helper()
	for name, create := range map[string]func(*testing.T) string{"sqlite": newDB, "postgres": newPostgres} {
		t.Run(name, func(t *testing.T) { test(t, create(t)) })
	}
}

func newDB(t *testing.T) string { return filepath.Join(t.TempDir(), "telemetry.db") }

// cluster is the PostgreSQL server of all tests that need one and do not stop it.
var cluster struct {
	sync.Once

	server *postgres.Server
	err    error
	number int // of the last database
}

// newPostgres returns the address of a new database. A key for the tokens is set for the length of the test: the server
// would keep it in the working directory.
func newPostgres(t *testing.T) string {
	t.Helper()
	cluster.Do(func() { cluster.server, cluster.err = postgres.Start("fsync=off") }) // no test cuts the power
	if cluster.err != nil {
		lacksPostgres(t, cluster.err)
	}
	t.Setenv("WSX_KEY", strings.Repeat("k", minKey))
	cluster.number++
	name := fmt.Sprint("test", cluster.number)
	if err := cluster.server.Exec(t.Context(), "postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return cluster.server.Address(name)
}

// haltingPostgres returns the address of a new database, and its server, which the test may stop: it is started again
// at the end.
func haltingPostgres(t *testing.T) (*postgres.Server, string) {
	t.Helper()
	db := newPostgres(t)
	t.Cleanup(func() {
		cluster.server.Stop()
		if err := cluster.server.Restart(); err != nil {
			t.Error(err)
		}
	})
	return cluster.server, db
}

// lacksPostgres skips a test where none is installed; with WSX_REQUIRE=all, or postgres among it, that fails.
func lacksPostgres(t *testing.T, err error) {
	t.Helper()
	if required := os.Getenv("WSX_REQUIRE"); errors.Is(err, postgres.ErrMissing) && required != "all" && !strings.Contains(required, "postgres") {
		t.Skip(err)
	}
	t.Fatal(err)
}

// endCluster is what the end of all tests does.
func endCluster() {
	if cluster.server != nil {
		_ = cluster.server.Close()
	}
}

func newStore(t testing.TB, db string) store {
	t.Helper()
	s, err := openStore(db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// insert stores readings as of a device without acks.
func insert(s store, readings []reading) error {
	_, err := s.commit(context.Background(), []message{{readings: readings}})
	return err
}

func countOf(t *testing.T, s store) (readings, deadLetters int64) {
	t.Helper()
	readings, deadLetters, err := s.counted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return readings, deadLetters
}

// raw is a store's database, for what the store does not do.
func raw(s store) *sql.DB {
	if s, ok := s.(*sqliteStore); ok {
		return s.write
	}
	return s.(*pgStore).db
}

// breakDatabase makes rows of a table fail for which the condition holds, until mendDatabase.
func breakDatabase(t *testing.T, s store, table, condition string) {
	t.Helper()
	statement := fmt.Sprintf("CREATE TRIGGER broken_%s BEFORE INSERT ON %[1]s WHEN %s BEGIN SELECT raise(ABORT, 'no'); END", table, condition)
	if _, ok := s.(*pgStore); ok {
		statement = fmt.Sprintf(`CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;
			CREATE TRIGGER broken_%s BEFORE INSERT ON %[1]s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION broken()`, table, condition)
	}
	execute(t, s, statement)
}

// mendDatabase undoes what breakDatabase has done, for all tables at once.
func mendDatabase(t *testing.T, s store, tables ...string) {
	t.Helper()
	all := "BEGIN;"
	for _, table := range tables {
		all += " DROP TRIGGER broken_" + table
		if _, ok := s.(*pgStore); ok {
			all += " ON " + table
		}
		all += ";"
	}
	execute(t, s, all+" COMMIT")
}

func execute(t *testing.T, s store, statements string) {
	t.Helper()
	if _, err := raw(s).ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}
