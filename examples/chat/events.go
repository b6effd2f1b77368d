package main

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/hub"
)

const maxText = 2000 // runes

// What a client is told when it asks for what it cannot have.
var (
	errNoRoom    = hub.EventError{Code: "no_such_room", Message: "There is no such room."}
	errRoomFull  = hub.EventError{Code: "room_full", Message: "The room is full."}
	errNotMember = hub.EventError{Code: "not_member", Message: "Join the room first."}
	errNobody    = hub.EventError{Code: "no_such_person", Message: "Nobody of that name is here."}
	errTooFast   = hub.EventError{Code: "slow_down", Message: "Too many messages; wait a moment."}
	errForbidden = hub.EventError{Code: "forbidden", Message: "Only moderators can do that."}
	errSelf      = hub.EventError{Code: "yourself", Message: "That is you."}
	errText      = hub.EventError{Code: "bad_text", Message: "A message has 1 to 2,000 characters."}
	errKey       = hub.EventError{Code: "bad_key", Message: "A key has 1 to 36 letters, digits and hyphens."}
)

// place is the body of join and leave, and of typing.
type place struct {
	Room string `json:"room"`
}

// welcome is the reply to join.
type welcome struct {
	Room     string    `json:"room"`
	Messages []message `json:"messages"`
	People   []string  `json:"people"`
}

// presence is the event "here": everybody in a room.
type presence struct {
	Room   string   `json:"room"`
	People []string `json:"people"`
}

// typist is the event "typing".
type typist struct {
	Room string `json:"room"`
	Name string `json:"name"`
}

// post is the body of say, with Room, and of private, with To.
type post struct {
	Room string `json:"room"`
	To   string `json:"to"`
	Key  string `json:"key"`
	Text string `json:"text"`
}

// Validate is called before the handlers. What a text says is anybody's: pages show it as text, never as HTML.
func (p post) Validate() error {
	if strings.TrimSpace(p.Text) == "" || utf8.RuneCountInString(p.Text) > maxText || strings.ContainsFunc(p.Text, unprintable) {
		return errText
	}
	if !isKey(p.Key) {
		return errKey
	}
	return nil
}

var isKey = regexp.MustCompile(`^[A-Za-z0-9-]{1,36}$`).MatchString

func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// receipt is the reply to say and private.
type receipt struct {
	At int64 `json:"at"`
}

// target is the body of kick.
type target struct {
	Name string `json:"name"`
}
