package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
	"github.com/fiberwsx/wsx/ws"
)

var testTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestLogin(t *testing.T) {
	r := start(t)
	r.logIn(t, credentials{Name: "taken"})
	for name, row := range map[string]struct {
		who    credentials
		status int
	}{
		"a moderator":        {credentials{"mod", code}, 200},
		"a wrong code":       {credentials{"mallory", "guess"}, 403},
		"an umlaut":          {credentials{"Zoë van Dam", ""}, 200},
		"a script":           {credentials{`<script>alert(1)</script>`, ""}, 400},
		"an image":           {credentials{`<img src=x onerror=alert(1)>`, ""}, 400},
		"a quote":            {credentials{`a" onmouseover="x`, ""}, 400},
		"nothing":            {credentials{" ", ""}, 400},
		"too long":           {credentials{strings.Repeat("a", maxName+1), ""}, 400},
		"turned around":      {credentials{"a\u202egnp.exe", ""}, 400},
		"invisible":          {credentials{"a\u200bb", ""}, 400},
		"an unseen letter":   {credentials{"ann\u3164", ""}, 400},
		"an unseen mark":     {credentials{"an\u034fn", ""}, 400},
		"another look":       {credentials{"ann\ufe0f", ""}, 400},
		"not UTF-8":          {credentials{"a\xffb", ""}, 400}, // which arrives as U+FFFD
		"a heap of marks":    {credentials{"z" + strings.Repeat("\u0335", 8), ""}, 400},
		"a mark alone":       {credentials{"\u0335", ""}, 400},
		"a line break":       {credentials{"ada\x00", ""}, 400},
		"other capitals":     {credentials{"TAKEN", ""}, 409},
		"another width":      {credentials{"ｔａｋｅｎ", ""}, 409},
		"spaces around":      {credentials{"  Taken ", ""}, 409},
		"nearly the same":    {credentials{"taken2", ""}, 200},
		"Devanagari, a mark": {credentials{"किरण", ""}, 200},
	} {
		if status, s := postTo[session](t, r, "/login", "", row.who); status != row.status || status == 200 && s.Moderator != (row.who.Code != "") {
			t.Errorf("%s: %d, want %d", name, status, row.status)
		}
	}
	if status, _ := postTo[session](t, r, "/login", "", "no object"); status != http.StatusBadRequest {
		t.Errorf("not a login: %d", status)
	}
}

func TestLoginsAreLimited(t *testing.T) {
	r := start(t)
	for range loggingIn.Burst {
		postTo[session](t, r, "/login", "", credentials{Name: "ada", Code: "a guess"})
	}
	if status, _ := postTo[session](t, r, "/login", "", credentials{Name: "ada", Code: code}); status != http.StatusTooManyRequests {
		t.Errorf("one more: %d", status)
	}
}

// TestWhoGetsIn needs a token for a ticket, and a ticket, unused, for the socket.
func TestWhoGetsIn(t *testing.T) {
	r := start(t)
	ada := r.logIn(t, credentials{Name: "ada"})
	forged, err := jwt.Sign(newKey(), jwt.Claims{Subject: "ada", Expires: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/ticket", "/renew", "/logout"} {
		for name, token := range map[string]string{"no token": "", "not a token": "x", "another key's": forged} {
			if status, _ := postTo[session](t, r, path, token, nil); status != http.StatusUnauthorized {
				t.Errorf("%s, %s: %d", path, name, status)
			}
		}
	}
	ticket := r.ticket(t, ada.Token)
	c, err := r.dial(t, ticket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for name, ticket := range map[string]string{"again": ticket, "a token": ada.Token, "nothing": ""} {
		if _, err := r.dial(t, ticket); err == nil {
			t.Errorf("%s opens", name)
		}
	}
}

func TestRenew(t *testing.T) {
	r := start(t)
	mod := r.logIn(t, credentials{Name: "mod", Code: code})
	status, renewed := postTo[session](t, r, "/renew", mod.Token, nil)
	if status != http.StatusOK || renewed.Name != "mod" || !renewed.Moderator {
		t.Fatalf("%d %+v", status, renewed)
	}
	c := r.connect(t, renewed)
	c.send(t, "auth", 0, map[string]string{"token": r.ticket(t, renewed.Token)})
	if e := c.expect(t, "auth"); e.Type != "auth" {
		t.Errorf("got %+v", e)
	}
	if _, err := ask[struct{}](t, c, "alive", nil); err != nil {
		t.Error(err)
	}
}

func TestLogout(t *testing.T) {
	r := start(t)
	ada := r.enter(t, "ada")
	if status, _ := postTo[session](t, r, "/logout", ada.session.Token, nil); status != http.StatusNoContent {
		t.Fatalf("logout: %d", status)
	}
	if got := ada.expectClose(t); int(got) != int(ws.StatusAuthFailed) {
		t.Errorf("closed with %d", got)
	}
	if r.ticket(t, ada.session.Token) != "" {
		t.Error("the token is still good for a ticket")
	}
	if status, _ := postTo[session](t, r, "/renew", ada.session.Token, nil); status != http.StatusUnauthorized {
		t.Errorf("renewing it: %d", status)
	}
	testkit.Eventually(t, "the name is free", func() bool { return !r.names.online("ada") })
	r.enter(t, "Ada")
}

// A token is good, and yet its name another's: after a minute away, or a restart at which another was faster.
func TestTokenOfALostName(t *testing.T) {
	r := start(t)
	ada := r.logIn(t, credentials{Name: "ada"})
	r.names.free("ada", r.names.held["ada"].session, testTime)
	if err := r.names.hold("ada", "another session", time.Now()); err != nil {
		t.Fatal(err)
	}
	if r.ticket(t, ada.Token) != "" {
		t.Error("it is good for a ticket")
	}
	if status, _ := postTo[session](t, r, "/renew", ada.Token, nil); status != http.StatusConflict {
		t.Errorf("renewing it: %d", status)
	}
}

func TestWhoseNameItIs(t *testing.T) {
	n := newNames()
	at := func(d time.Duration) time.Time { return testTime.Add(d) }
	check := func(what string, err, want error) {
		t.Helper()
		if err != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	check("first", n.hold("ada", "1", at(0)), nil)
	check("another", n.hold("Ada", "2", at(grace-1)), errNameTaken)
	check("the same", n.hold("ada", "1", at(grace-1)), nil)
	n.count("ada", 1, at(grace))
	check("connected", n.hold("ada", "2", at(time.Hour)), errNameTaken)
	n.count("ada", -1, at(time.Hour))
	check("just gone", n.hold("ada", "2", at(time.Hour+grace-1)), errNameTaken)
	check("gone", n.hold("ada", "2", at(time.Hour+grace)), nil)
	check("the first, back too late", n.hold("ada", "1", at(time.Hour+grace+1)), errNameTaken)
	n.ban("ada", at(3*time.Hour))
	check("banned", n.hold("ada", "2", at(3*time.Hour-1)), errNameTaken)
	check("banned no more", n.hold("ada", "3", at(3*time.Hour)), nil)
}

func TestNamesAreBounded(t *testing.T) {
	n := newNames()
	for i := range maxNames {
		if err := n.hold(string(rune('一'+i)), "s", testTime); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := n.hold("ada", "s", testTime); err != errNamesFull {
		t.Errorf("full: %v", err)
	}
	if err := n.hold("ada", "s", testTime.Add(grace+1)); err != nil || len(n.held) != 1 {
		t.Errorf("when all are gone: %v, %d left", err, len(n.held))
	}
}
