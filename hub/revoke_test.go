package hub_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// issued is who has a token that was issued some time ago; negative: it does not say.
func issued(subject, id string, ago time.Duration) auth.Identity {
	i := auth.Identity{Subject: subject, ID: id, Expires: time.Now().Add(time.Hour)}
	if ago >= 0 {
		i.Issued = time.Now().Add(-ago)
	}
	return i
}

func TestRevoke(t *testing.T) {
	for name, row := range map[string]struct {
		revocation hub.Revocation
		closed     string
	}{
		"subject":            {hub.Revocation{Subject: "ann"}, "[ann/1 ann/2 ann/]"},
		"token":              {hub.Revocation{ID: "1"}, "[ann/1 bob/1]"},
		"nobody":             {hub.Revocation{Subject: "eve"}, "[]"},
		"an ID as a subject": {hub.Revocation{Subject: "1"}, "[]"},
		"a subject as an ID": {hub.Revocation{ID: "ann"}, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, hub.Config{OnMessage: echo})
				all := []auth.Identity{issued("ann", "1", 0), issued("ann", "2", time.Hour), issued("ann", "", -1), issued("bob", "1", 0), {}}
				var ends []<-chan ws.Status
				for _, id := range all {
					ends = append(ends, connect(t, h, hub.Request{Identity: id}).live())
				}
				row.revocation.Until = time.Now().Add(time.Hour)
				n, err := h.Revoke(row.revocation)
				must(t, err)
				synctest.Wait()
				closed := []string{}
				for i, ended := range ends {
					select {
					case status := <-ended:
						want(t, "status", status, ws.StatusAuthFailed)
						closed = append(closed, all[i].Subject+"/"+all[i].ID)
						want(t, "revoked", h.Revoked(all[i]), true)
					default:
						want(t, "revoked", h.Revoked(all[i]), false)
					}
				}
				want(t, "closed", fmt.Sprint(closed), row.closed)
				want(t, "counted", n, len(closed))
				if later := issued("ann", "3", 0); row.revocation.Subject == "ann" {
					time.Sleep(time.Second)
					later.Issued = time.Now()
					want(t, "a later token is revoked", h.Revoked(later), false)
				}
				time.Sleep(time.Hour)
				for _, id := range all {
					want(t, "revoked for ever", h.Revoked(id), false)
				}
			})
		})
	}
}

// TestARevokedToken comes to the hub after its revocation: from a handshake that was under way, and to renew another.
func TestARevokedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: echo})
		_, err := h.Revoke(hub.Revocation{ID: "stolen", Until: time.Now().Add(time.Hour)})
		must(t, err)
		late := begin(t, h, hub.Request{Identity: issued("ann", "stolen", 0)})
		late.wantClose(ws.StatusAuthFailed)
		r := renewable()
		r.Authenticate = func(context.Context, string) (auth.Identity, error) { return issued("ann", "stolen", 0), nil }
		s := connect(t, h, r)
		s.SendText(authMessage("stolen"))
		s.wantClose(ws.StatusAuthFailed)
	})
}

func TestRevocationsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, hub.Config{OnMessage: echo})
		s := connectAs(t, h, "ann")
		ended := s.live()
		const most = 100_000
		for i := range most {
			_, err := h.Revoke(hub.Revocation{ID: fmt.Sprint(i), Until: time.Now().Add(time.Hour + time.Duration(i%2)*time.Minute)})
			must(t, err)
		}
		n, err := h.Revoke(hub.Revocation{Subject: "ann", Until: time.Now().Add(time.Hour)})
		if !errors.Is(err, hub.ErrRevocations) {
			t.Errorf("got %v", err)
		}
		want(t, "closed all the same", n, 1)
		want(t, "status", <-ended, ws.StatusAuthFailed)
		_, err = h.Revoke(hub.Revocation{ID: "7", Until: time.Now().Add(2 * time.Hour)}) // a known one
		must(t, err)
		time.Sleep(time.Hour)
		_, err = h.Revoke(hub.Revocation{Subject: "ann", Until: time.Now().Add(time.Hour)})
		must(t, err)
		want(t, "one that goes on", h.Revoked(auth.Identity{ID: "9"}), true)
		want(t, "one that was made longer", h.Revoked(auth.Identity{ID: "7"}), true)
		want(t, "one that is over", h.Revoked(auth.Identity{ID: "8"}), false)
	})
}

func TestRevocationsThatSayNothing(t *testing.T) {
	h := newHub(t, hub.Config{OnMessage: echo})
	soon := time.Now().Add(time.Hour)
	for _, r := range []hub.Revocation{{}, {Until: soon}, {Subject: "ann"}, {Subject: "ann", ID: "1", Until: soon}, {ID: "a\x00b", Until: soon}} {
		if n, err := h.Revoke(r); err == nil || n != 0 {
			t.Errorf("%+v: got %d, %v", r, n, err)
		}
	}
}
