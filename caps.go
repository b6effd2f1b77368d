package wsx

import (
	"net/netip"
	"runtime"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ratelimit"
)

// caps counts the connections of each address and of each subject.
type caps struct {
	perAddress *tally[netip.Prefix]
	perSubject *tally[string]
	handshakes *ratelimit.Limiter[netip.Prefix] // nil: no limit
}

func newCaps(cfg Config) *caps {
	k := &caps{
		perAddress: &tally[netip.Prefix]{limit: cfg.MaxConnsPerIP, held: make(map[netip.Prefix]int)},
		perSubject: &tally[string]{limit: cfg.MaxConnsPerSubject, held: make(map[string]int)},
	}
	if cfg.HandshakeRate > 0 {
		k.handshakes = ratelimit.NewLimiter[netip.Prefix](ratelimit.Config{
			Rate: ratelimit.Rate{PerSecond: cfg.HandshakeRate, Burst: max(1, cfg.HandshakeBurst)},
		})
	}
	return k
}

func (k *caps) address(a *admission) error {
	network := limitKey(a.addr)
	if k.handshakes != nil {
		if ok, wait := k.handshakes.Allow(time.Now(), network); !ok {
			return refuse(fiber.StatusTooManyRequests, "too many handshakes", "Config.HandshakeRate reached").
				retryAfter(int((wait + time.Second - 1) / time.Second))
		}
	}
	if !k.perAddress.take(network, a.slot) {
		return refuse(fiber.StatusTooManyRequests, "too many connections", "Config.MaxConnsPerIP reached").retryAfter(5)
	}
	return nil
}

func (k *caps) subject(a *admission) error {
	if s := a.identity.Subject; s != "" && !k.perSubject.take(s, a.slot) {
		return refuse(fiber.StatusTooManyRequests, "too many connections", "Config.MaxConnsPerSubject reached").
			retryAfter(5)
	}
	return nil
}

// tally counts what each key holds, up to a limit. It remembers only keys that hold something.
type tally[K comparable] struct {
	limit int

	mu   sync.Mutex
	held map[K]int
}

// take adds one to the key until s is released. False: the key is at its limit.
func (t *tally[K]) take(key K, s *slot) bool {
	if t.limit <= 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[key] >= t.limit {
		return false
	}
	t.held[key]++
	s.keep(func() { t.give(key) })
	return true
}

func (t *tally[K]) give(key K) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[key]--; t.held[key] <= 0 {
		delete(t.held, key)
	}
}

// slot is everything that is counted for a connection.
type slot struct {
	reservation *hub.Reservation
	give        []func()
	once        sync.Once
}

func (s *slot) keep(give func()) { s.give = append(s.give, give) }

func (s *slot) release() {
	s.once.Do(func() {
		for _, give := range s.give {
			give()
		}
	})
}

// releaseUnless releases when a callback of the application has not returned: a panic in it may be recovered outside.
func (s *slot) releaseUnless(returned *bool) {
	if !*returned {
		s.release()
	}
}

// loan is the slot of a connection while fasthttp has it, between the handshake and the moment that it hands the
// connection over. It may drop one in between without a word: then the garbage collector releases the slot.
type loan struct {
	slot      *slot
	collected runtime.Cleanup
}

// lend returns a loan, which has to stay reachable until somebody calls over.
func (s *slot) lend() *loan {
	l := &loan{slot: s}
	l.collected = runtime.AddCleanup(l, (*slot).release, s)
	return l
}

// over says that somebody will release the slot, so that the garbage collector need not.
func (l *loan) over() { l.collected.Stop() }
