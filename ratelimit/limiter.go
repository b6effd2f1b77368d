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
// full. So it stops floods; it does not bill. Each key costs some 70 bytes and twice its own size.
type Limiter[K comparable] struct {
	rate Rate
	max  int

	mu     sync.Mutex
	keys   map[K]int32 // its place
	places places[K]
}

// NewLimiter returns a limiter that has seen no key.
func NewLimiter[K comparable](cfg Config) *Limiter[K] {
	if cfg.MaxKeys <= 0 {
		cfg.MaxKeys = DefaultMaxKeys
	}
	l := &Limiter[K]{rate: cfg.Rate, max: min(cfg.MaxKeys, mostPlaces), keys: make(map[K]int32)}
	l.places.init()
	return l
}

// Allow takes a token of key's bucket. When there is none, retryAfter is how long it takes until there is. It
// allocates only for keys that it does not know, and only until it has MaxKeys.
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
	i, known := l.keys[key]
	switch {
	case known:
		l.places.unlink(i)
	case len(l.keys) < l.max:
		i = l.places.add()
	default:
		i = l.places.oldest() // its key is forgotten
		l.places.unlink(i)
		delete(l.keys, l.places.at(i).key)
	}
	p := l.places.at(i)
	if !known {
		*p = place[K]{key: key}
		l.keys[key] = i
	}
	l.places.link(i)
	return &p.bucket
}
