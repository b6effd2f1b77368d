package auth

import (
	"container/list"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// MaxTicketLife is the longest time for which a ticket is good.
const MaxTicketLife = 30 * time.Second

// The errors of [Tickets].
var (
	// ErrTicket is a ticket that nobody was given, that was used, or that is over: which of them, nobody learns.
	ErrTicket = errors.New("auth: not a ticket, or not any more")
	// ErrTooManyTickets means that the subject has as many unused tickets as it may have.
	ErrTooManyTickets = errors.New("auth: the subject has too many unused tickets")
	// ErrTicketsFull means that there are as many unused tickets as there may be.
	ErrTicketsFull = errors.New("auth: too many unused tickets")
)

// TicketConfig bounds tickets. In every limit 0 means the default; none can be off.
type TicketConfig struct {
	// Lifetime is for how long a ticket is good, [MaxTicketLife] at most. Optional. Default: MaxTicketLife.
	Lifetime time.Duration
	// MaxTickets is how many unused tickets there may be, some 300 bytes each besides their claims. Optional.
	// Default: 10,000.
	MaxTickets int
	// PerSubject is how many of them one subject may have. Optional. Default: 8.
	PerSubject int
}

// Tickets hands out tickets: random names of an identity, good for one use and for seconds. A browser, which cannot set
// a header on a WebSocket, gets one by an HTTP request that carries its real token, and puts it where tokens are easily
// seen, in a URL for example: what is left there opens nothing.
//
// A Tickets is an [Authenticator], which takes a ticket when it verifies it. It keeps digests only, so that neither a
// copy of the memory nor the time of a look-up tells a ticket. The tickets of one process are unknown in another one.
// All methods may be called at once.
type Tickets struct {
	cfg TicketConfig

	mu       sync.Mutex
	byDigest map[[sha256.Size]byte]*list.Element
	all      list.List // of *ticket, the one that ends first in front
	held     map[string]int
}

type ticket struct {
	digest   [sha256.Size]byte
	identity Identity
	end      time.Time
}

// ticketPrefix tells tickets from other tokens, for [Tickets.Or].
const ticketPrefix = "wsxt-"

// NewTickets returns a Tickets that has handed out none. It panics when a limit is negative, or the lifetime too long.
func NewTickets(config ...TicketConfig) *Tickets {
	cfg := TicketConfig{}
	if len(config) > 0 {
		cfg = config[0]
	}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = MaxTicketLife
	}
	if cfg.MaxTickets == 0 {
		cfg.MaxTickets = 10_000
	}
	if cfg.PerSubject == 0 {
		cfg.PerSubject = 8
	}
	switch {
	case cfg.Lifetime < 0 || cfg.Lifetime > MaxTicketLife:
		panic(fmt.Sprintf("auth.NewTickets: the Lifetime is %v; make it at most %v: a ticket is for the next request", cfg.Lifetime, MaxTicketLife))
	case cfg.Lifetime < time.Millisecond:
		panic(fmt.Sprintf("auth.NewTickets: the Lifetime is %v; write its unit, as in %d*time.Second", cfg.Lifetime, cfg.Lifetime))
	case cfg.MaxTickets < 0 || cfg.PerSubject < 0:
		panic("auth.NewTickets: MaxTickets and PerSubject cannot be off; leave them out for the defaults")
	}
	return &Tickets{cfg: cfg, byDigest: make(map[[sha256.Size]byte]*list.Element), held: make(map[string]int)}
}

// Lifetime returns for how long a ticket is good.
func (t *Tickets) Lifetime() time.Duration { return t.cfg.Lifetime }

// Issue returns a ticket that stands for id once. Errors: [ErrTooManyTickets], [ErrTicketsFull], and a sentence about a
// subject that does not pass [CheckSubject].
func (t *Tickets) Issue(id Identity) (string, error) {
	if err := CheckSubject(id.Subject); err != nil {
		return "", fmt.Errorf("auth: no ticket for a subject that is none: %w", err)
	}
	name := ticketPrefix + rand.Text() // 130 bits
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetLocked(now)
	switch {
	case t.held[id.Subject] >= t.cfg.PerSubject:
		return "", ErrTooManyTickets
	case t.all.Len() >= t.cfg.MaxTickets:
		return "", ErrTicketsFull
	}
	made := &ticket{digest: sha256.Sum256([]byte(name)), identity: id, end: now.Add(t.cfg.Lifetime)}
	t.byDigest[made.digest] = t.all.PushBack(made)
	t.held[id.Subject]++
	return name, nil
}

// Authenticate takes a ticket, and returns whose it is. Its only error is [ErrTicket].
func (t *Tickets) Authenticate(_ context.Context, name string) (Identity, error) {
	digest := sha256.Sum256([]byte(name))
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgetLocked(now)
	e, ok := t.byDigest[digest]
	if !ok {
		return Identity{}, ErrTicket
	}
	id := t.removeLocked(e).identity
	if !id.Expires.IsZero() && !now.Before(id.Expires) {
		return Identity{}, ErrTicket
	}
	return id, nil
}

// Or returns an Authenticator that takes tickets, and has everything that does not look like one verified by next. It
// panics when that is nil.
func (t *Tickets) Or(next Authenticator) Authenticator {
	if next == nil {
		panic("auth.Tickets.Or: next is nil; give it what verifies other tokens, or use the tickets alone")
	}
	return Func(func(ctx context.Context, token string) (Identity, error) {
		if strings.HasPrefix(token, ticketPrefix) {
			return t.Authenticate(ctx, token)
		}
		return next.Authenticate(ctx, token)
	})
}

// forgetLocked forgets the tickets that are over.
func (t *Tickets) forgetLocked(now time.Time) {
	for e := t.all.Front(); e != nil && !now.Before(e.Value.(*ticket).end); e = t.all.Front() {
		t.removeLocked(e)
	}
}

func (t *Tickets) removeLocked(e *list.Element) *ticket {
	gone := t.all.Remove(e).(*ticket)
	delete(t.byDigest, gone.digest)
	if t.held[gone.identity.Subject]--; t.held[gone.identity.Subject] == 0 {
		delete(t.held, gone.identity.Subject)
	}
	return gone
}
