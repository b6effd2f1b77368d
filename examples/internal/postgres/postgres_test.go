package postgres_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/examples/internal/postgres"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What is committed survives a stop and a crash, and while the server is away nobody answers.
func TestServerComesBack(t *testing.T) {
	s, err := postgres.Start()
	if errors.Is(err, postgres.ErrMissing) {
		if os.Getenv("WSX_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	exec := func(statements string) error { return s.Exec(context.Background(), "postgres", statements) }
	if err := exec("CREATE TABLE t (n int PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	for i, end := range []func(){s.Stop, s.Kill} {
		if err := exec("INSERT INTO t VALUES (1)"); i == 0 && err != nil || i > 0 && err == nil {
			t.Errorf("round %d: %v", i, err)
		}
		end()
		if err := exec("SELECT 1"); err == nil {
			t.Error("a server that has ended answers")
		}
		if err := s.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	if err := exec("INSERT INTO t VALUES (1)"); err == nil || !strings.Contains(err.Error(), "duplicate") {
		t.Errorf("after the crash: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
