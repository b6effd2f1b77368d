package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/auth"
)

func issue(t *testing.T, tickets *auth.Tickets, subject string) string {
	t.Helper()
	name, err := tickets.Issue(auth.Identity{Subject: subject})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestATicketIsGoodOnce has many come with one ticket at once.
func TestATicketIsGoodOnce(t *testing.T) {
	tickets := auth.NewTickets()
	for range 100 {
		name := issue(t, tickets, "ann")
		var all sync.WaitGroup
		var taken atomic.Int32
		for range 8 {
			all.Go(func() {
				switch id, err := tickets.Authenticate(t.Context(), name); {
				case err == nil && id.Subject == "ann":
					taken.Add(1)
				case !errors.Is(err, auth.ErrTicket):
					t.Errorf("got %+v, %v", id, err)
				}
			})
		}
		all.Wait()
		if n := taken.Load(); n != 1 {
			t.Fatalf("one ticket was taken %d times", n)
		}
	}
}

func TestATicketEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets := auth.NewTickets()
		good, over := issue(t, tickets, "ann"), issue(t, tickets, "ann")
		short, err := tickets.Issue(auth.Identity{Subject: "ann", Expires: time.Now().Add(10 * time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(30*time.Second - 1)
		if _, err := tickets.Authenticate(t.Context(), good); err != nil {
			t.Errorf("a moment before the end: %v", err)
		}
		if _, err := tickets.Authenticate(t.Context(), short); !errors.Is(err, auth.ErrTicket) {
			t.Errorf("of a token that is over: %v", err)
		}
		time.Sleep(1)
		if _, err := tickets.Authenticate(t.Context(), over); !errors.Is(err, auth.ErrTicket) {
			t.Errorf("at the end: %v", err)
		}
	})
}

func TestHostileTickets(t *testing.T) {
	tickets := auth.NewTickets()
	name := issue(t, tickets, "ann")
	for _, bad := range []string{"", "wsxt-", name[:len(name)-1], name + "A", strings.ToLower(name), " " + name, name + "\x00", strings.Repeat("A", 1<<20)} {
		if id, err := tickets.Authenticate(t.Context(), bad); err != auth.ErrTicket || id.Subject != "" {
			t.Errorf("%.40q: got %+v, %v", bad, id, err)
		}
	}
	for _, subject := range []string{"", "a\x00", "a\xff", strings.Repeat("a", 257)} {
		if name, err := tickets.Issue(auth.Identity{Subject: subject}); err == nil || name != "" {
			t.Errorf("a ticket for %.20q", subject)
		}
	}
	if _, err := tickets.Authenticate(t.Context(), name); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestTicketsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets := auth.NewTickets(auth.TicketConfig{MaxTickets: 10, PerSubject: 3, Lifetime: time.Second})
		var names []string
		for i := range 9 {
			names = append(names, issue(t, tickets, fmt.Sprint(i/3)))
		}
		if _, err := tickets.Issue(auth.Identity{Subject: "1"}); !errors.Is(err, auth.ErrTooManyTickets) {
			t.Errorf("a fourth of one subject: %v", err)
		}
		issue(t, tickets, "3")
		if _, err := tickets.Issue(auth.Identity{Subject: "4"}); !errors.Is(err, auth.ErrTicketsFull) {
			t.Errorf("an eleventh: %v", err)
		}
		if _, err := tickets.Authenticate(t.Context(), names[3]); err != nil {
			t.Error(err)
		}
		issue(t, tickets, "1") // in the place of the one that was used
		time.Sleep(time.Second)
		for range 3 {
			issue(t, tickets, "1")
		}
	})
}

// TestTicketsOr tells tickets from other tokens.
func TestTicketsOr(t *testing.T) {
	tickets := auth.NewTickets()
	either := tickets.Or(auth.Static(map[string]string{"0123456789abcdef": "bob"}))
	name := issue(t, tickets, "ann")
	for _, row := range []struct{ token, subject string }{{name, "ann"}, {name, ""}, {"0123456789abcdef", "bob"}, {"x", ""}} {
		if id, err := either.Authenticate(t.Context(), row.token); id.Subject != row.subject || (err == nil) != (row.subject != "") {
			t.Errorf("got %+v, %v, want %q", id, err, row.subject)
		}
	}
}

func TestTicketsOrNothing(t *testing.T) {
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "next is nil") {
			t.Errorf("panicked with %q", p)
		}
	}()
	auth.NewTickets().Or(nil)
}

func TestNewTicketsPanics(t *testing.T) {
	for _, cfg := range []auth.TicketConfig{{Lifetime: 31 * time.Second}, {Lifetime: -1}, {Lifetime: 30}, {MaxTickets: -1}, {PerSubject: -1}} {
		func() {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, "auth.NewTickets: ") {
					t.Errorf("%+v: panicked with %q", cfg, p)
				}
			}()
			auth.NewTickets(cfg)
		}()
	}
}
