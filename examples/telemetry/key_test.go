package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestKeyIsMadeOnceAndKeptPrivate(t *testing.T) {
	t.Setenv("WSX_KEY", "")
	path := filepath.Join(t.TempDir(), "telemetry.db.key")
	first, err := loadKey(path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if len(first) < minKey {
		t.Errorf("the key has %d bytes", len(first))
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("mode %04o, want 0600", mode)
	}
	again, err := loadKey(path, quiet())
	if err != nil || !bytes.Equal(first, again) {
		t.Errorf("the second start has another key (%v)", err)
	}
	other, err := loadKey(path+"2", quiet())
	if err != nil || bytes.Equal(first, other) {
		t.Errorf("another database has the same key (%v)", err)
	}
}

func TestKeyThatOthersCouldReadIsTakenFromThem(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes on Windows")
	}
	t.Setenv("WSX_KEY", "")
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(strings.Repeat("k", 40)+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if _, err := loadKey(path, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || !strings.Contains(log.String(), "0644") {
		t.Errorf("mode %v, log %q; want 0600 and a line that tells the old mode", info.Mode(), log.String())
	}
}

func TestKeyFromTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	t.Setenv("WSX_KEY", strings.Repeat("e", minKey))
	key, err := loadKey(path, quiet())
	if err != nil || string(key) != strings.Repeat("e", minKey) {
		t.Errorf("got %q, %v", key, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a key file was made that is not used")
	}
	t.Setenv("WSX_KEY", strings.Repeat("e", minKey-1))
	if _, err := loadKey(path, quiet()); err == nil {
		t.Error("a short key was taken")
	}
}

func TestDamagedKeyIsRefused(t *testing.T) {
	t.Setenv("WSX_KEY", "")
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := loadKey(path, quiet()); err == nil || !strings.Contains(err.Error(), "delete the file") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
}
