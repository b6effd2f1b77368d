package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
)

// compactFrom is how long a spool's file grows before it is written anew without what has been settled.
const compactFrom = 1 << 20

// spool keeps a backlog in a file, one line for each change of it. A message is on the disk (fsync) before it may be
// sent, so neither a crash nor a power cut makes the agent forget what it has given a number to. That a message is
// settled is written and not synced: if a power cut takes it back, the next hello says it again.
//
// A file belongs to one agent. Its owner sees to it that its methods are not called at once.
type spool struct {
	path string
	file *os.File
	end  int64 // of the last whole line
	owed int   // dropped, and not yet written so
}

// line is a change: the number of the first message, or a message more, or some fewer at the front.
type line struct {
	Base    *uint64         `json:"base,omitempty"` // 0: not known
	Message json.RawMessage `json:"m,omitempty"`
	Drop    int             `json:"drop,omitempty"`
}

// openSpool opens the spool of a device in dir, made when missing. cut is how many bytes at its end make no sense and
// were dropped: a line that a crash has torn, which was never sent.
func openSpool(dir, device string) (s *spool, kept [][]byte, base uint64, cut int, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, 0, 0, err
	}
	name := url.PathEscape(device)
	if len(name) > 200 { // a file's name may have 255 bytes
		name = fmt.Sprintf("%x", sha256.Sum256([]byte(device)))
	}
	s = &spool{path: filepath.Join(dir, name+".spool")}
	data, err := os.ReadFile(s.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, 0, 0, err
	}
	kept, base, cut = replay(data)
	return s, kept, base, cut, s.rewrite(base, kept)
}

// replay does the changes in data.
func replay(data []byte) (kept [][]byte, base uint64, cut int) {
	for len(data) > 0 {
		text, rest, whole := bytes.Cut(data, []byte("\n"))
		var l line
		if !whole || json.Unmarshal(text, &l) != nil || l.Drop < 0 || l.Drop > len(kept) {
			return kept, base, len(data)
		}
		kept = kept[l.Drop:]
		if l.Message != nil {
			kept = append(kept, l.Message)
		}
		if l.Base != nil {
			base = *l.Base
		}
		data = rest
	}
	return kept, base, 0
}

// add keeps a message more. After an error it is not kept.
func (s *spool) add(message []byte) error { return s.write(line{Message: message}, true) }

// drop forgets the first n, from which on the first one left has the number base.
func (s *spool) drop(n int, base uint64) error {
	s.owed += n
	err := s.write(line{Drop: s.owed, Base: &base}, false)
	if err == nil {
		s.owed = 0
	}
	return err
}

// write adds a line, whole or not at all: what an earlier failure may have left is overwritten.
func (s *spool) write(l line, sync bool) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := s.file.Truncate(s.end); err != nil {
		return err
	}
	n, err := s.file.WriteAt(append(text, '\n'), s.end)
	if err == nil && sync {
		err = s.file.Sync()
	}
	if err != nil {
		return errors.Join(err, s.file.Truncate(s.end))
	}
	s.end += int64(n)
	return nil
}

// rewrite replaces the file by one with only what is kept; after a crash there is the old one or the new one, whole.
func (s *spool) rewrite(base uint64, kept [][]byte) error {
	next := s.path + ".new"
	end, err := writeLines(next, base, kept)
	if err != nil {
		return err
	}
	s.close() // Windows does not replace an open file
	if err = os.Rename(next, s.path); err == nil {
		s.end, s.owed = end, 0
		err = syncDir(filepath.Dir(s.path))
	}
	file, failed := os.OpenFile(s.path, os.O_RDWR, 0o600)
	s.file = file // nil fails each write until the next rewrite
	return errors.Join(err, failed)
}

func writeLines(path string, base uint64, kept [][]byte) (end int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	lines := json.NewEncoder(w)
	err = lines.Encode(line{Base: &base})
	for _, m := range kept {
		err = errors.Join(err, lines.Encode(line{Message: m}))
	}
	if err := errors.Join(err, w.Flush(), f.Sync()); err != nil {
		return 0, err
	}
	return f.Seek(0, io.SeekCurrent)
}

// syncDir makes a renaming last through a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // it has no such thing
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close() // what must be on the disk is there
	}
}
