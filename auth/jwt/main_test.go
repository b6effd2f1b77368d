package jwt_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"testing"
)

// TestMain fails the run when anything was logged: whoever has tokens in hand says nothing.
func TestMain(m *testing.M) {
	var lines bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
	code := m.Run()
	if lines.Len() > 0 {
		fmt.Fprintf(os.Stderr, "this package logged:\n%s", &lines)
		code = 1
	}
	os.Exit(code)
}
