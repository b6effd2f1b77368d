package main

import (
	"errors"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxName  = 24          // runes
	grace    = time.Minute // how long a name waits for somebody who is gone; longer than a ticket lives
	maxNames = 20_000      // that are remembered at once
)

var (
	errName      = errors.New("a name has 1 to 24 letters, digits, spaces and .-_ and begins with a letter or a digit")
	errNameTaken = errors.New("somebody else has this name")
	errNamesFull = errors.New("too many people at once")
)

// cleanName returns the one way to write a name, or errName. It lets through what people are called and nothing that
// hides, overwrites or turns around the text beside it. Names in different scripts may still look alike.
func cleanName(name string) (string, error) {
	name = strings.Join(strings.Fields(norm.NFC.String(name)), " ")
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > maxName {
		return "", errName
	}
	marks := 0
	for i, r := range name {
		if unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) {
			return "", errName // some letters and marks show nothing
		}
		if unicode.IsMark(r) && i > 0 && marks < 2 {
			marks++
			continue
		}
		marks = 0
		plain := unicode.IsLetter(r) || unicode.IsDigit(r)
		if !plain && (i == 0 || !strings.ContainsRune(" .-_", r)) {
			return "", errName
		}
	}
	return name, nil
}

// names says whose each name is: that of the session that logged in with it, while it has a connection and for a
// minute after. Methods may be called at once. Two names that differ in capitals or width only are the same.
type names struct {
	mu   sync.Mutex
	held map[string]*holder
}

type holder struct {
	name    string // as its holder writes it
	session string // "": nobody's, and so banned as long as it is held
	conns   int
	until   time.Time // unless there are conns
}

func newNames() *names { return &names{held: make(map[string]*holder)} }

func fold(name string) string { return strings.ToLower(norm.NFKC.String(name)) }

// hold gives the name to a session, or keeps it for that. Errors: errNameTaken, errNamesFull.
func (n *names) hold(name, session string, now time.Time) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[fold(name)]
	switch {
	case h == nil && len(n.held) >= maxNames && !n.forgetLocked(now):
		return errNamesFull
	case h == nil:
		h = n.holderLocked(name)
	case h.session != session && (h.conns > 0 || now.Before(h.until)):
		return errNameTaken
	}
	h.name, h.session, h.until = name, session, later(h.until, now.Add(grace))
	return nil
}

// forgetLocked forgets the names that nobody has any more, and reports whether there were any.
func (n *names) forgetLocked(now time.Time) bool {
	before := len(n.held)
	for key, h := range n.held {
		if h.conns == 0 && now.After(h.until) {
			delete(n.held, key)
		}
	}
	return len(n.held) < before
}

// count adds connections to a name: 1, or -1 for one that has ended.
func (n *names) count(name string, by int, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.holderLocked(name)
	h.conns += by
	if h.session != "" {
		h.until = later(h.until, now.Add(grace))
	}
}

// holderLocked returns the name's holder, nobody if there was none.
func (n *names) holderLocked(name string) *holder {
	h := n.held[fold(name)]
	if h == nil {
		h = &holder{name: name}
		n.held[fold(name)] = h
	}
	return h
}

// online reports whether somebody who writes the name like this is connected.
func (n *names) online(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.held[fold(name)]
	return h != nil && h.conns > 0 && h.name == name
}

// free gives a name back that the session has. Its connections, if there are any, have it until they end.
func (n *names) free(name, session string, now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.held[fold(name)]; h != nil && h.session == session {
		h.session, h.until = "", now
	}
}

// ban lets nobody have the name until then.
func (n *names) ban(name string, until time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.holderLocked(name)
	h.session, h.until = "", later(h.until, until)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
