package hub

import (
	"math"
	"net/netip"
	"time"

	"github.com/fiberwsx/wsx/ratelimit"
)

// quotas are a hub's limits of what comes in besides the rate.
type quotas struct {
	bytes    ratelimit.Rate
	rule     ratelimit.Rule
	subjects *ratelimit.Limiter[string]       // nil: no limit
	networks *ratelimit.Limiter[netip.Prefix] // likewise
}

// quota is what a connection has used of them.
type quota struct {
	bytes   ratelimit.Bucket
	window  ratelimit.Window
	network netip.Prefix
}

func newQuotas(c Config) *quotas {
	if c.RateBytes == 0 && c.RateRule.Max == 0 && c.RatePerSubject == 0 && c.RatePerIP == 0 {
		return nil
	}
	q := &quotas{bytes: ratelimit.Rate{PerSecond: c.RateBytes, Burst: c.BurstBytes}, rule: c.RateRule}
	if c.RatePerSubject > 0 {
		q.subjects = ratelimit.NewLimiter[string](keyed(c.RatePerSubject))
	}
	if c.RatePerIP > 0 {
		q.networks = ratelimit.NewLimiter[netip.Prefix](keyed(c.RatePerIP))
	}
	return q
}

func keyed(perSecond float64) ratelimit.Config {
	return ratelimit.Config{Rate: ratelimit.Rate{PerSecond: perSecond, Burst: twice(perSecond)}}
}

// burst returns how many may come at once where that is configured, or not.
func burst(configured int, perSecond float64) int {
	if configured < 0 {
		return math.MaxInt
	}
	return orDefault(configured, twice(perSecond))
}

// twice returns what may come at once by default, 1 at least.
func twice(perSecond float64) int { return int(min(max(1, 2*perSecond), math.MaxInt32)) }

func (q *quotas) of(c *Conn) *quota {
	if q == nil {
		return nil
	}
	return &quota{network: network(c.IP())}
}

// network returns what counts as one address: of an IPv6 address the first 64 bits.
func network(ip string) netip.Prefix {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// stage is how far a message has been charged.
type stage int

// The stages, in this order.
const (
	byRate stage = iota
	byBytes
	byRule
	bySubject
	byIP
	charged
)

// levy charges a message of so many bytes to one limit after the other, from a stage on. It returns the one that is
// used up, and how long until it allows the message; or charged.
func (c *Conn) levy(now time.Time, size int, from stage) (stage, time.Duration) {
	if from == byRate {
		if c.hub.cfg.Rate != 0 && !c.bucket.Allow(now, c.hub.rate) {
			return byRate, c.bucket.RetryAfter(now, c.hub.rate)
		}
		from++
	}
	if c.quota == nil {
		return charged, 0
	}
	for ; from < charged; from++ {
		if ok, wait := c.levyQuota(now, size, from); !ok {
			return from, wait
		}
	}
	return charged, 0
}

func (c *Conn) levyQuota(now time.Time, size int, to stage) (ok bool, wait time.Duration) {
	q, u := c.hub.quotas, c.quota
	switch {
	case to == byBytes && q.bytes.PerSecond > 0:
		size = min(size, q.bytes.Burst)
		if !u.bytes.AllowN(now, size, q.bytes) {
			return false, u.bytes.RetryAfterN(now, size, q.bytes)
		}
	case to == byRule && q.rule.Max > 0:
		if !u.window.Allow(now, q.rule) {
			return false, u.window.RetryAfter(now, q.rule)
		}
	case to == bySubject && q.subjects != nil && c.Subject() != "":
		return q.subjects.Allow(now, c.Subject())
	case to == byIP && q.networks != nil && u.network.IsValid():
		return q.networks.Allow(now, u.network)
	}
	return true, 0
}
