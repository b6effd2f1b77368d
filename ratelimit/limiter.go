package ratelimit

import (
	"container/list"
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
// full. So it stops floods; it does not bill. A key costs some 150 bytes beside its own.
type Limiter[K comparable] struct {
	rate Rate
	max  int

	mu    sync.Mutex
	keys  map[K]*list.Element
	order *list.List // of *keyed[K], the key seen last in front
}

type keyed[K comparable] struct {
	key    K
	bucket Bucket
}

// NewLimiter returns a limiter that has seen no key.
func NewLimiter[K comparable](cfg Config) *Limiter[K] {
	if cfg.MaxKeys <= 0 {
		cfg.MaxKeys = DefaultMaxKeys
	}
	return &Limiter[K]{rate: cfg.Rate, max: cfg.MaxKeys, keys: make(map[K]*list.Element), order: list.New()}
}

// Allow takes a token of key's bucket. When there is none, retryAfter is how long it takes until there is. It
// allocates only for a key that it does not know.
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
	if e, ok := l.keys[key]; ok {
		l.order.MoveToFront(e)
		return &e.Value.(*keyed[K]).bucket
	}
	if len(l.keys) < l.max {
		k := &keyed[K]{key: key}
		l.keys[key] = l.order.PushFront(k)
		return &k.bucket
	}
	e := l.order.Back() // forgotten, and used again
	k := e.Value.(*keyed[K])
	delete(l.keys, k.key)
	*k = keyed[K]{key: key}
	l.keys[key] = e
	l.order.MoveToFront(e)
	return &k.bucket
}
