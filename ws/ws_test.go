package ws_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/ws"
)

func ExampleCloseError() {
	err := fmt.Errorf("joining: %w", ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "not your room"})
	fmt.Println(ws.StatusOf(err))
	// Output: 1008 policy violation
}

func TestSendable(t *testing.T) {
	for _, s := range []ws.Status{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4001, 4999} {
		if !s.Sendable() {
			t.Errorf("%v may not be sent", s)
		}
	}
	for _, s := range []ws.Status{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535} {
		if s.Sendable() {
			t.Errorf("%v may be sent", s)
		}
	}
}

func TestCutReason(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"", ""},
		{"bye", "bye"},
		{strings.Repeat("a", 200), strings.Repeat("a", 123)},
		{strings.Repeat("a", 122) + "é", strings.Repeat("a", 122)},
		{strings.Repeat("a", 121) + "é!", strings.Repeat("a", 121) + "é"},
		{"broken \xff text", "broken \ufffd text"},
	} {
		got := ws.CutReason(tc.in)
		if got != tc.want || !utf8.ValidString(got) {
			t.Errorf("CutReason(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestCloseErrorQuotesTheReason(t *testing.T) {
	e := ws.CloseError{Status: 1000, Reason: "a\nlevel=ERROR"}
	if got := e.Error(); strings.Contains(got, "\n") || !strings.Contains(got, "1000 normal closure") {
		t.Errorf("got %q", got)
	}
	if got := (ws.CloseError{Status: 4321}).Error(); got != "websocket: closed with 4321" {
		t.Errorf("got %q", got)
	}
	if ws.StatusOf(errors.New("other")) != 0 || ws.StatusOf(nil) != 0 {
		t.Error("a status where there is none")
	}
}

func TestMessageCopies(t *testing.T) {
	data := []byte("abc")
	m := ws.Message{Type: ws.Text, Data: data}
	text, clone := m.Text(), m.Clone()
	data[0] = 'x'
	if text != "abc" || string(clone.Data) != "abc" || clone.Type != ws.Text {
		t.Errorf("got %q and %v", text, clone)
	}
	if got := fmt.Sprint(ws.Text, ws.Binary, ws.MessageType(7)); got != "text binary type 7" {
		t.Errorf("got %q", got)
	}
}
