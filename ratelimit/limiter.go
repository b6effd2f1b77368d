package ratelimit

import (
	"sync"
	"time"
)

// DefaultMaxKeys is how many keys a Limiter remembers unless it is told otherwise.
const DefaultMaxKeys = 1 << 16

// Config bounds a Limiter.
type Config struct {
	// Rate is what each key is allowed.
	Rate Rate
	// MaxKeys is how many keys are remembered. 0 or negative: DefaultMaxKeys.
	MaxKeys int
}

// Limiter keeps one bucket a key in bounded memory: past MaxKeys it forgets the key seen longest ago, which then starts
// full. So it stops floods; it does not bill. A key, kept
// twice, costs some 90 bytes more.
type Limiter[K comparable] struct {
	rate Rate
	max  int

	mu     sync.Mutex
	keys   map[K]*keyed[K]
	newest keyed[K] // no key's: the ring of all keys begins after it, with the key seen last
}

// keyed is a key's bucket, and its place in the ring.
type keyed[K comparable] struct {
	key          K
	bucket       Bucket
	newer, older *keyed[K]
}

// NewLimiter returns a limiter that has seen no key.
func NewLimiter[K comparable](cfg Config) *Limiter[K] {
	if cfg.MaxKeys <= 0 {
		cfg.MaxKeys = DefaultMaxKeys
	}
	l := &Limiter[K]{rate: cfg.Rate, max: cfg.MaxKeys, keys: make(map[K]*keyed[K])}
	l.newest.newer, l.newest.older = &l.newest, &l.newest
	return l
}

// Allow takes a token of key's bucket. When there is none, retryAfter is how long it takes until there is. It
// allocates only for a key that it does not know, as long as there is room for more.
func (l *Limiter[K]) Allow(now time.Time, key K) (ok bool, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucketLocked(key)
	if b.Allow(now, l.rate) {
		return true, 0
	}
	return false, b.RetryAfter(now, l.rate)
}

// Len returns how many keys are remembered.
func (l *Limiter[K]) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys)
}

func (l *Limiter[K]) bucketLocked(key K) *Bucket {
	k, known := l.keys[key]
	switch {
	case known:
		k.unlink()
	case len(l.keys) < l.max:
		k = &keyed[K]{key: key}
		l.keys[key] = k
	default:
		k = l.newest.newer // the oldest: forgotten, and used again
		k.unlink()
		delete(l.keys, k.key)
		*k = keyed[K]{key: key}
		l.keys[key] = k
	}
	k.link(&l.newest)
	return &k.bucket
}

// link puts k in after newer.
func (k *keyed[K]) link(newer *keyed[K]) {
	k.newer, k.older = newer, newer.older
	k.newer.older, k.older.newer = k, k
}

func (k *keyed[K]) unlink() {
	k.newer.older, k.older.newer = k.older, k.newer
}
