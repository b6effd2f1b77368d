package jwks

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
)

// ErrUnavailable means that there is no key set that still counts, because the issuer has not answered.
var ErrUnavailable = errors.New("jwks: no key set")

// Config says how keys are fetched, and what a token must be. In every time 0 means the default; none can be off.
type Config struct {
	// JWT is what the token must say; its Algorithm has to be empty, because each key has its own.
	JWT jwt.Config
	// Client fetches. Optional. Default: one that follows no redirects.
	Client *http.Client
	// Timeout bounds a fetch. Optional. Default: 5 s.
	Timeout time.Duration
	// Floor is the shortest time between two fetches. Optional. Default: 10 s.
	Floor time.Duration
	// MaxAge is how old a set may be before it is fetched again: so long a key counts that was taken out of it.
	// Optional. Default: 15 min.
	MaxAge time.Duration
	// MaxStale is how old it may be while the issuer does not answer. Optional. Default: 1 h, or MaxAge if that is
	// more.
	MaxStale time.Duration
}

const (
	maxUnknown = 1024        // kids that are remembered for not being there
	unknownFor = time.Minute // for so long
	maxKID     = 256
)

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		to        *time.Duration
		byDefault time.Duration
	}{{&c.Timeout, 5 * time.Second}, {&c.Floor, 10 * time.Second}, {&c.MaxAge, 15 * time.Minute}, {&c.MaxStale, max(time.Hour, c.MaxAge)}} {
		if *d.to == 0 {
			*d.to = d.byDefault
		}
	}
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return c
}

func (c Config) check(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%q is not a URL; write for example https://id.example.com/jwks.json", address)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return fmt.Errorf("the address %q is not https: whoever stands in between could choose the keys", address)
	case c.JWT.Algorithm != "":
		return errors.New("Config.JWT.Algorithm is set; leave it out, because each key has its own")
	case min(c.Timeout, c.Floor, c.MaxAge, c.MaxStale) < 0:
		return errors.New("a time is negative, and none can be off; leave it out for the default")
	case min(c.Timeout, c.Floor, c.MaxAge, c.MaxStale) < time.Millisecond:
		return fmt.Errorf("a time is %v; write its unit, as in 5*time.Second", min(c.Timeout, c.Floor, c.MaxAge, c.MaxStale))
	case c.MaxStale < c.MaxAge:
		return errors.New("Config.MaxStale is shorter than Config.MaxAge; make it at least as long")
	}
	return nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// verifier is the Authenticator.
type verifier struct {
	address string
	cfg     Config

	mu      sync.Mutex
	keys    map[string]auth.Authenticator // by kid; nil before the first set has come
	fetched time.Time                     // the keys
	tried   time.Time                     // the last fetch began
	flight  chan struct{}                 // closed when the fetch that is under way is over; nil: none is
	unknown map[string]time.Time          // kids that were not there, and until when that is remembered
}

// New returns an Authenticator for tokens signed with the keys at an address, which is fetched when the first token
// comes. It panics when the address is not https, that of this machine excepted, and when the configuration cannot
// work.
func New(address string, config ...Config) auth.Authenticator {
	var cfg Config
	if len(config) > 0 {
		cfg = config[0]
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(address); err != nil {
		panic("jwks.New: " + err.Error())
	}
	_ = jwt.Ed25519(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey), cfg.JWT) // says what is wrong with it
	return &verifier{address: address, cfg: cfg, unknown: make(map[string]time.Time)}
}

// Authenticate verifies a token with the key that its kid names. It waits for a fetch at most as long as ctx and
// Config.Timeout allow. Errors: those of package auth/jwt, [ErrUnavailable], and that of ctx.
func (v *verifier) Authenticate(ctx context.Context, token string) (auth.Identity, error) {
	kid, err := kidOf(token)
	if err != nil {
		return auth.Identity{}, err
	}
	for fetched := false; ; fetched = true {
		key, flight, err := v.key(kid, fetched)
		switch {
		case err != nil:
			return auth.Identity{}, err
		case key != nil:
			return key.Authenticate(ctx, token)
		}
		select {
		case <-flight:
		case <-ctx.Done():
			return auth.Identity{}, context.Cause(ctx)
		}
	}
}

// key returns what verifies the tokens with a kid, or the fetch that is to be waited for. After one that is not waited
// for again.
func (v *verifier) key(kid string, fetched bool) (key auth.Authenticator, flight <-chan struct{}, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := time.Now()
	age := now.Sub(v.fetched)
	if v.keys != nil && age > v.cfg.MaxStale {
		v.keys = nil
	}
	key = v.keys[kid]
	if !fetched && (v.keys == nil || age > v.cfg.MaxAge || key == nil && !v.knownMissingLocked(kid, now)) && v.fetchLocked(now) {
		return nil, v.flight, nil
	}
	switch {
	case key != nil:
		return key, nil, nil
	case v.keys == nil:
		return nil, nil, ErrUnavailable
	}
	v.missLocked(kid, now)
	return nil, nil, jwt.ErrUnknownKey
}

// fetchLocked reports whether there is a fetch to wait for; it begins one if it may.
func (v *verifier) fetchLocked(now time.Time) bool {
	switch {
	case v.flight != nil:
		return true
	case !v.tried.IsZero() && now.Sub(v.tried) < v.cfg.Floor:
		return false
	}
	v.tried, v.flight = now, make(chan struct{})
	go v.fetch()
	return true
}

func (v *verifier) knownMissingLocked(kid string, now time.Time) bool {
	until, ok := v.unknown[kid]
	return ok && now.Before(until)
}

// missLocked remembers a kid that is not there. When there are too many all are forgotten: the floor still holds.
func (v *verifier) missLocked(kid string, now time.Time) {
	if v.knownMissingLocked(kid, now) || now.Sub(v.fetched) > v.cfg.Floor {
		return // the set may have changed since
	}
	if len(v.unknown) >= maxUnknown {
		clear(v.unknown)
	}
	v.unknown[kid] = now.Add(unknownFor)
}

// fetch replaces the keys, if the issuer answers. Nobody's context is its own: others wait for it too.
func (v *verifier) fetch() {
	ctx, cancel := context.WithTimeout(context.Background(), v.cfg.Timeout)
	defer cancel()
	keys, err := v.get(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err == nil {
		v.keys, v.fetched = keys, time.Now()
		for kid := range keys {
			delete(v.unknown, kid)
		}
	}
	close(v.flight)
	v.flight = nil
}

// kidOf returns which key a token names. The token is not verified, and the name only chooses the key that does.
func kidOf(token string) (string, error) {
	head, _, ok := strings.Cut(token, ".")
	if !ok || len(token) > auth.MaxToken {
		return "", jwt.ErrMalformed
	}
	text, err := base64.RawURLEncoding.DecodeString(head)
	var header struct {
		KID string `json:"kid"`
	}
	if err != nil || json.Unmarshal(text, &header) != nil {
		return "", jwt.ErrMalformed
	}
	if header.KID == "" || len(header.KID) > maxKID {
		return "", jwt.ErrUnknownKey
	}
	return header.KID, nil
}
