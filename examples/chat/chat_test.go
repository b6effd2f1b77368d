package main

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

func TestWhatIsSaidReachesTheRoom(t *testing.T) {
	r := start(t)
	ada, bob, eve := r.enter(t, "ada"), r.enter(t, "bob"), r.enter(t, "eve")
	ada.join(t, "lobby")
	bob.join(t, "lobby")
	eve.join(t, "help")
	got, err := ask[receipt](t, ada, "say", map[string]string{"room": "lobby", "key": "k1", "text": "<b>hi</b>", "from": "bob"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{ada, bob} {
		if e := c.expect(t, "said"); e.From != "ada" || e.Text != "<b>hi</b>" || e.Key != "k1" || e.At != got.At || e.Room != "lobby" {
			t.Errorf("%s got %+v", c.session.Name, e)
		}
	}
	if _, err := ask[receipt](t, eve, "say", post{Room: "lobby", Key: "k", Text: "me too"}); codeOf(err) != "not_member" {
		t.Errorf("from outside: %v", err)
	}
	if len(eve.events) > 0 && slices.ContainsFunc(eve.events, func(e event) bool { return e.Type == "said" }) {
		t.Errorf("eve, in another room, got %+v", eve.events)
	}
}

func TestHistory(t *testing.T) {
	r := start(t)
	for i := range lastMessages + 5 {
		r.rooms["lobby"].add(message{Key: fmt.Sprint(i), From: "zoe", Room: "lobby", Text: fmt.Sprint("m", i)}, testTime)
	}
	ada := r.enter(t, "ada")
	got := ada.join(t, "lobby").Messages
	if len(got) != lastMessages || got[0].Text != "m5" || got[lastMessages-1].Text != fmt.Sprint("m", lastMessages+4) {
		t.Fatalf("%d messages from %+v", len(got), got)
	}
	if !slices.IsSortedFunc(got, func(a, b message) int { return int(a.At - b.At) }) || got[0].At == got[1].At {
		t.Error("they are not in order")
	}
	if got := ada.join(t, "help"); got.Messages == nil || len(got.Messages) != 0 {
		t.Errorf("an empty room has %v", got.Messages)
	}
}

// A page that lost its connection before the receipt sends again what it has said.
func TestSaidAgainIsNotShownAgain(t *testing.T) {
	r := start(t)
	ada, bob := r.enter(t, "ada"), r.enter(t, "bob")
	ada.join(t, "lobby")
	bob.join(t, "lobby")
	var at []int64
	for range 2 {
		got, err := ask[receipt](t, ada, "say", post{Room: "lobby", Key: "k1", Text: "once"})
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, got.At)
	}
	if at[0] != at[1] {
		t.Errorf("the receipts are %v", at)
	}
	if _, err := ask[receipt](t, bob, "say", post{Room: "lobby", Key: "k1", Text: "another's key is another message"}); err != nil {
		t.Fatal(err)
	}
	if first, second := bob.expect(t, "said"), bob.expect(t, "said"); first.From != "ada" || second.From != "bob" {
		t.Errorf("got %+v and %+v", first, second)
	}
	if got := r.rooms["lobby"].history(); len(got) != 2 {
		t.Errorf("the room keeps %+v", got)
	}
}

func TestWhoIsHere(t *testing.T) {
	r := start(t)
	ada := r.enter(t, "ada")
	if got := ada.join(t, "lobby").People; !slices.Equal(got, []string{"ada"}) {
		t.Errorf("at first: %v", got)
	}
	until := func(want ...string) {
		t.Helper()
		for e := ada.expect(t, "here"); !slices.Equal(e.People, want) || e.Room != "lobby"; e = ada.expect(t, "here") {
			t.Logf("not yet %v: %v", want, e.People)
		}
	}
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	again := r.connect(t, bob.session) // a second tab
	again.join(t, "lobby")
	until("ada", "bob")
	_ = again.Close(1000, "")
	until("ada", "bob")
	bob.send(t, "leave", 0, place{"lobby"})
	until("ada")
}

func TestTypingIsForTheOthers(t *testing.T) {
	r := start(t)
	ada, bob := r.enter(t, "ada"), r.enter(t, "bob")
	ada.join(t, "lobby")
	bob.join(t, "lobby")
	ada.send(t, "typing", 0, place{"lobby"})
	if e := bob.expect(t, "typing"); e.Name != "ada" || e.Room != "lobby" {
		t.Errorf("bob got %+v", e)
	}
	if _, err := ask[struct{}](t, ada, "alive", nil); err != nil {
		t.Error(err)
	}
	for _, e := range ada.events {
		if e.Type == "typing" {
			t.Errorf("ada got %+v", e)
		}
	}
}

func TestPrivateMessages(t *testing.T) {
	r := start(t)
	ada, bob, eve := r.enter(t, "ada"), r.enter(t, "bob"), r.enter(t, "eve")
	tab := r.connect(t, bob.session)
	for _, c := range []*client{ada, bob, eve, tab} {
		c.join(t, "lobby")
	}
	if _, err := ask[receipt](t, ada, "private", post{To: "bob", Key: "k", Text: "psst"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{ada, bob, tab} {
		if e := c.expect(t, "private"); e.From != "ada" || e.To != "bob" || e.Text != "psst" || e.Key != "k" {
			t.Errorf("%s got %+v", c.session.Name, e)
		}
	}
	for to, want := range map[string]string{"ada": "yourself", "nobody": "no_such_person", "": "no_such_person"} {
		if _, err := ask[receipt](t, ada, "private", post{To: to, Key: "k", Text: "psst"}); codeOf(err) != want {
			t.Errorf("to %q: %v, want %s", to, err, want)
		}
	}
	_, _ = ask[struct{}](t, eve, "alive", nil)
	for _, e := range eve.events {
		if e.Type == "private" {
			t.Errorf("eve got %+v", e)
		}
	}
}

func TestKick(t *testing.T) {
	r := start(t)
	mod := r.connect(t, r.logIn(t, credentials{Name: "mod", Code: code}))
	ada, bob := r.enter(t, "ada"), r.enter(t, "bob")
	tab := r.connect(t, ada.session)
	unused := r.ticket(t, ada.session.Token)
	if _, err := ask[struct{}](t, bob, "kick", target{"ada"}); codeOf(err) != "forbidden" {
		t.Errorf("by bob: %v", err)
	}
	for name, want := range map[string]string{"mod": "yourself", "nobody": "no_such_person", "ADA": "no_such_person", "ada": ""} {
		if _, err := ask[struct{}](t, mod, "kick", target{name}); codeOf(err) != want {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	for _, c := range []*client{ada, tab} {
		if got := c.expectClose(t); int(got) != int(ws.StatusKicked) {
			t.Errorf("ada is closed with %d", got)
		}
	}
	if _, err := r.dial(t, unused); err == nil {
		t.Error("a ticket from before opens")
	}
	for path, body := range map[string]any{"/ticket": nil, "/renew": nil, "/login": credentials{Name: "Ada"}} {
		if status, _ := postTo[session](t, r, path, ada.session.Token, body); status < 400 {
			t.Errorf("%s afterwards: %d", path, status)
		}
	}
	if err := r.names.hold("ada", "another session", time.Now().Add(banned-time.Minute)); !errors.Is(err, errNameTaken) {
		t.Errorf("the name, nearly 10 minutes later: %v", err)
	}
	if _, err := ask[struct{}](t, bob, "alive", nil); err != nil {
		t.Errorf("bob: %v", err)
	}
}

func TestSpeakingTooFast(t *testing.T) {
	r := start(t)
	ada := r.enter(t, "ada")
	ada.join(t, "lobby")
	other := r.connect(t, ada.session)
	other.join(t, "lobby")
	var refused int
	for i := range 2 * speaking.Burst { // in two tabs, which share what is allowed
		c := []*client{ada, other}[i%2]
		switch _, err := ask[receipt](t, c, "say", post{Room: "lobby", Key: fmt.Sprint(i), Text: "!"}); codeOf(err) {
		case "slow_down":
			refused++
		case "":
		default:
			t.Fatal(err)
		}
	}
	if said := len(r.rooms["lobby"].history()); refused == 0 || said+refused != 2*speaking.Burst {
		t.Errorf("%d said, %d refused", said, refused)
	}
	for range 60 {
		ada.send(t, "typing", 0, place{"lobby"})
	}
	for e := ada.expect(t, "error"); e.Code != "rate_limited"; e = ada.expect(t, "error") {
		t.Logf("%+v", e)
	}
}

func TestWhatCannotBeSaid(t *testing.T) {
	r := start(t)
	ada := r.enter(t, "ada")
	ada.join(t, "lobby")
	for name, row := range map[string]struct {
		kind string
		body any
		code string
	}{
		"nothing":          {"say", post{Room: "lobby", Key: "k", Text: " \n"}, "bad_text"},
		"too much":         {"say", post{Room: "lobby", Key: "k", Text: strings.Repeat("é", maxText+1)}, "bad_text"},
		"a control":        {"say", post{Room: "lobby", Key: "k", Text: "a\x00b"}, "bad_text"},
		"no key":           {"say", post{Room: "lobby", Text: "hi"}, "bad_key"},
		"a hostile key":    {"say", post{Room: "lobby", Key: `"><script>`, Text: "hi"}, "bad_key"},
		"an unknown room":  {"join", place{"<script>alert(1)</script>"}, "no_such_room"},
		"an unknown event": {"dance", nil, hub.CodeUnknownType},
		"not a text":       {"say", map[string]any{"room": "lobby", "key": "k", "text": 7}, hub.CodeInvalid},
	} {
		if _, err := ask[receipt](t, ada, row.kind, row.body); codeOf(err) != row.code {
			t.Errorf("%s: %v, want %s", name, err, row.code)
		}
	}
	long := strings.Repeat("é", maxText)
	if _, err := ask[receipt](t, ada, "say", post{Room: "lobby", Key: "k", Text: long}); err != nil {
		t.Errorf("the longest text: %v", err)
	}
}

func TestServesNothingOfPeople(t *testing.T) {
	r := start(t)
	for _, path := range []string{"/", "/rooms"} {
		response, err := http.Get("http://" + r.address + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		policy := response.Header.Get("Content-Security-Policy")
		if path == "/" && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe")) {
			t.Errorf("%s: policy %q", path, policy)
		}
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
}

// TestListsOfManyAreRarer: a full room of 500 hears who is here once a second, a small one at once.
func TestListsOfManyAreRarer(t *testing.T) {
	if few, many := settling(10), settling(500); few != settle || many < time.Second || many > 2*time.Second {
		t.Errorf("%v and %v", few, many)
	}
}
