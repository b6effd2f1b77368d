package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"
)

// minKey is the shortest key in bytes that an HMAC with SHA-256 should be given.
const minKey = 32

// loadKey returns the key that signs the devices' tokens: WSX_KEY when it is set, else the content of the file
// at path, which is made at the first start. The file's text can be given to another server as its WSX_KEY.
func loadKey(path string, log *slog.Logger) ([]byte, error) {
	if env := os.Getenv("WSX_KEY"); env != "" {
		if len(env) < minKey {
			return nil, fmt.Errorf("WSX_KEY has %d bytes and needs %d: try WSX_KEY=$(openssl rand -hex 32)", len(env), minKey)
		}
		return []byte(env), nil
	}
	key, err := makeKey(path)
	if errors.Is(err, fs.ErrExist) {
		return readKey(path, log)
	}
	return key, err
}

// makeKey writes a new key to a file that must not exist, so that of two servers starting at once one wins.
func makeKey(path string) (key []byte, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the key: %w", err)
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(path) // half a key would refuse the next start
			key, err = nil, fmt.Errorf("make the key: %w", err)
		}
	}()
	var random [minKey]byte
	_, _ = rand.Read(random[:]) // never fails
	key = []byte(hex.EncodeToString(random[:]))
	if _, err := f.Write(append(slices.Clip(key), '\n')); err != nil {
		return nil, err
	}
	return key, f.Sync()
}

func readKey(path string, log *slog.Logger) ([]byte, error) {
	if err := guardKey(path, log); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	key := bytes.TrimSpace(text)
	if len(key) < minKey {
		return nil, fmt.Errorf("the key in %s has %d bytes and needs %d: delete the file to have a new one made; the tokens it signed end with it", path, len(key), minKey)
	}
	return key, nil
}

// guardKey takes away from others what a copy or a restored backup may have given them.
func guardKey(path string, log *slog.Logger) error {
	if runtime.GOOS == "windows" { // the mode says nothing about who may read there
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return fmt.Errorf("others may read the key, and this user cannot change that: %w", err)
	}
	log.Warn("others could read the signing key; its mode is 0600 now. Delete it to have a new one made if somebody may have taken it",
		"file", path, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	return nil
}
