package hub

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/ws"
)

// mostRevocations bounds what a hub remembers: some 40 MB when every name is as long as it may be.
const mostRevocations = 100_000

// ErrRevocations means that a hub remembers as many revocations as it can, none of which is over. What was open is
// closed; the token may come back.
var ErrRevocations = errors.New("hub: too many revocations")

// Revocation says which tokens count no more. Exactly one of Subject and ID is set.
type Revocation struct {
	// Subject revokes every token of a subject that was issued until now: [auth.Identity.Issued] says when, to the
	// second in a JWT, and one that does not say it counts as old. Tokens that are issued later are good.
	Subject string
	// ID revokes the one token that has it, as [auth.Identity.ID]; in a JWT its jti.
	ID string
	// Until is when the last of these tokens has ended by itself; the hub forgets the revocation then. Required.
	Until time.Time
}

func (r Revocation) check() error {
	name := r.Subject + r.ID
	switch {
	case (r.Subject == "") == (r.ID == ""):
		return errors.New("hub: a revocation needs either a Subject or an ID")
	case r.Until.IsZero():
		return errors.New("hub: a revocation needs Until: when the tokens have ended by themselves")
	}
	if err := auth.CheckSubject(name); err != nil {
		return fmt.Errorf("hub: the name in a revocation cannot be a token's: %w", err)
	}
	return nil
}

// revocations are those that a hub remembers.
type revocations struct {
	mu    sync.Mutex
	made  map[revoked]revocation
	first time.Time // that ends, or before
}

type revoked struct{ subject, id string }

type revocation struct{ at, until time.Time }

// add remembers r. False: there is no room.
func (v *revocations) add(r Revocation, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := revoked{r.Subject, r.ID}
	before, known := v.made[key]
	if !known && len(v.made) >= mostRevocations && !v.forgetLocked(now) {
		return false
	}
	if v.made == nil {
		v.made = make(map[revoked]revocation)
	}
	if r.Until.Before(before.until) {
		r.Until = before.until
	}
	v.made[key] = revocation{at: now, until: r.Until}
	if len(v.made) == 1 || r.Until.Before(v.first) {
		v.first = r.Until
	}
	return true
}

// forgetLocked forgets what is over, and reports whether that was anything.
func (v *revocations) forgetLocked(now time.Time) bool {
	if now.Before(v.first) {
		return false
	}
	had := len(v.made)
	v.first = time.Time{}
	for key, r := range v.made {
		switch {
		case !now.Before(r.until):
			delete(v.made, key)
		case v.first.IsZero() || r.until.Before(v.first):
			v.first = r.until
		}
	}
	return len(v.made) < had
}

// has reports whether a token is revoked.
func (v *revocations) has(id *auth.Identity, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.made) == 0 {
		return false
	}
	if r, ok := v.made[revoked{id: id.ID}]; ok && id.ID != "" && now.Before(r.until) {
		return true
	}
	r, ok := v.made[revoked{subject: id.Subject}]
	return ok && id.Subject != "" && now.Before(r.until) && !id.Issued.After(r.at)
}

// Revoke makes tokens count no more: the connections that are open with one of them are closed with 4001, and whoever
// comes with one, in a handshake or to renew another, is refused until r.Until. It returns how many connections it has
// closed. A connection counts by its newest token. Other hubs and other processes are to be told too; the connections
// of wsx.Contrib are not closed.
//
// At most 100,000 revocations are remembered; a further one returns [ErrRevocations]. It costs a look at every
// connection. Errors besides: a sentence that says what r lacks.
func (h *Hub) Revoke(r Revocation) (closed int, err error) {
	if err := r.check(); err != nil {
		return 0, err
	}
	now := time.Now()
	if !h.revocations.add(r, now) {
		err = ErrRevocations
	}
	for c := range h.Conns() { // those that are registered later look for themselves
		if id := c.identity(); r.Subject != "" && id.Subject == r.Subject && !id.Issued.After(now) || r.ID != "" && id.ID == r.ID {
			if c.Close(ws.StatusAuthFailed, "token revoked") == nil {
				closed++
			}
		}
	}
	return closed, err
}

// Revoked reports whether [Hub.Revoke] was called for the token of id, and is not over. It takes no longer for many
// revocations than for one.
func (h *Hub) Revoked(id auth.Identity) bool { return h.revocations.has(&id, time.Now()) }

// endIfRevoked closes the connection if its token was revoked before it could be found.
func (c *Conn) endIfRevoked() {
	if c.hub.revocations.has(c.identity(), time.Now()) {
		_ = c.Close(ws.StatusAuthFailed, "token revoked")
	}
}
