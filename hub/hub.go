package hub

import (
	"hash/maphash"
	"iter"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/heartbeat"
	"github.com/fiberwsx/wsx/internal/later"
	"github.com/fiberwsx/wsx/internal/turn"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

// Hub runs connections. Make one with [New] and end it with [Hub.Shutdown]; it holds no goroutine while nothing
// happens.
//
// Lock order: sending, then shard.mu, then the locks of rooms or Conn.mu, then those of internal/wire; Hub.mu is taken
// alone.
type Hub struct {
	cfg     Config
	given   Config // to New
	engine  *wire.Engine
	rate    ratelimit.Rate
	start   time.Time
	log     *slog.Logger
	shards  []*shard
	sending sync.RWMutex // for reading: to append to all shards; for writing: to change who is a member
	places  places
	monitor *heartbeat.Monitor
	ages    *heartbeat.Monitor    // nil: no limit of time
	quotas  *quotas               // nil: none
	batches *batch.Batcher[entry] // nil without OnBatch
	streams streams
	acker   *later.Queue[*stream] // acknowledges what was settled while the last ack was young
	share   share
	budget  budget
	paused  pauses
	names   names
	typed   typed
	count   counters
	turns   turn.Turns // of flushers

	seed     maphash.Seed  // of the lanes of subjects
	nextLane atomic.Uint64 // of a connection without one
	opened   atomic.Uint64 // connections, which go to the shards in turn

	draining chan struct{} // closed when a shutdown begins
	expiries expiries

	revocations revocations
	strangers   map[*Conn]struct{} // guarded by mu

	mu       sync.Mutex
	conns    map[string]*Conn
	reserved map[*Reservation]struct{}
	idle     chan struct{} // closed when nothing is reserved; nil while nobody waits
	shutdown *shutdown     // the one in progress or done
}

// scope is what connections are gathered by: a room, a subject, or all of them.
type scope struct {
	kind scopeKind
	name string
}

// reaches reports whether c, a member, gets what is sent to s. While OnOpen runs it gets only what is sent to rooms it
// has joined there, so that what OnOpen itself sends arrives first.
func (s scope) reaches(c *Conn) bool { return s.kind == room || c.opened.Load() }

type scopeKind uint8

const (
	everybody scopeKind = iota
	subject
	room
)

// New returns a hub. It panics with a sentence that says what to change when no hub can work with cfg.
func New(cfg Config) *Hub {
	cfg.check()
	given := cfg
	cfg = cfg.withDefaults()
	h := &Hub{
		given:    given,
		start:    time.Now(),
		log:      cfg.Logger,
		shards:   make([]*shard, min(runtime.GOMAXPROCS(0), mostShards)),
		places:   places{most: cfg.RoomCapacity, taken: make(map[string]int)},
		monitor:  heartbeat.New(heartbeat.Config{Interval: cfg.PingInterval, Timeout: cfg.PongTimeout}),
		seed:     maphash.MakeSeed(),
		draining: make(chan struct{}),
		acker:    later.New(ackDelay, (*stream).turn),
		share:    cfg.ackShare(),
		budget:   budget{most: int64(cfg.IngestBudget)},
		conns:    make(map[string]*Conn),
		reserved: make(map[*Reservation]struct{}),
	}
	for i := range h.shards {
		h.shards[i] = newShard(h)
	}
	h.setUp(cfg)
	return h
}

// setUp makes what depends on how messages are handled, which is decided when there is no connection yet.
func (h *Hub) setUp(cfg Config) {
	h.cfg = cfg
	h.ages, h.quotas = newAges(cfg), newQuotas(cfg)
	h.rate = ratelimit.Rate{PerSecond: cfg.Rate, Burst: cfg.Burst}
	h.engine = wire.NewEngine(cfg.engine(h))
	if cfg.OnBatch != nil {
		h.batches = h.newBatcher()
	}
}

func (h *Hub) nextShard() *shard { return h.shards[h.opened.Add(1)%uint64(len(h.shards))] }

// Handles reports whether the hub has a handler: one of its [Config], or an event. One without can only lend its caps
// and its shutdown to others.
func (h *Hub) Handles() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cfg.OnMessage != nil || h.cfg.OnBatch != nil || h.cfg.OnConn != nil || h.typed.routes != nil
}

// Acknowledges reports whether clients may ask for [AckProtocol].
func (h *Hub) Acknowledges() bool { return h.cfg.Ack != AckNone }

// MaxMessage returns the longest message in bytes, as it is configured; 0: no limit.
func (h *Hub) MaxMessage() int { return h.cfg.MaxMessage }

// ShutdownStatus returns what a shutdown closes with, as it is configured.
func (h *Hub) ShutdownStatus() ws.Status { return h.cfg.ShutdownStatus }

// MaxConns returns how many connections may be open, as it is configured; 0: no limit.
func (h *Hub) MaxConns() int { return h.cfg.MaxConns }

// PingInterval returns the time between two pings of a connection; 0: no heartbeat.
func (h *Hub) PingInterval() time.Duration { return h.monitor.Interval() }

// Draining reports whether a shutdown has begun: new connections are refused. A readiness check answers with it.
func (h *Hub) Draining() bool {
	select {
	case <-h.draining:
		return true
	default:
		return false
	}
}

// Len returns how many connections there are.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}

// Conns returns the connections there are at the time of the call.
func (h *Hub) Conns() iter.Seq[*Conn] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Values(slices.Collect(maps.Values(h.conns)))
}

// Conn returns the connection with that id. False: there is none, or none any more.
func (h *Hub) Conn(id string) (*Conn, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c, ok := h.conns[id]
	return c, ok
}

// Reservation is a place among the hub's connections, kept while a handshake is under way.
type Reservation struct {
	hub *Hub
	// onClose ends a connection that is not the hub's own; see [Reservation.Adopt].
	onClose func(force bool)
}

// Reserve keeps a place for a connection. Give it to [Hub.Serve] in the request, or release it. Errors:
// [ErrDraining], [ErrFull], [ErrOverloaded].
func (h *Hub) Reserve() (*Reservation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.Draining() {
		h.count.refusedDrain.Add(1)
		return nil, ErrDraining
	}
	if h.cfg.MaxConns > 0 && len(h.reserved) >= h.cfg.MaxConns {
		h.count.refusedFull.Add(1)
		return nil, ErrFull
	}
	if h.budget.strained() {
		h.count.refusedLoad.Add(1)
		return nil, ErrOverloaded
	}
	r := &Reservation{hub: h}
	h.reserved[r] = struct{}{}
	return r, nil
}

// Release gives the place back. Calling it again does nothing.
func (r *Reservation) Release() {
	r.hub.mu.Lock()
	defer r.hub.mu.Unlock()
	delete(r.hub.reserved, r)
	if len(r.hub.reserved) == 0 && r.hub.idle != nil {
		close(r.hub.idle)
		r.hub.idle = nil
	}
}

// Adopt lets a connection that is not the hub's own take part in its shutdown: end is called once to end it in order,
// and again with force when time has run out. The connection is over when the reservation is released. False: the
// shutdown has begun already, and end has been called.
func (r *Reservation) Adopt(end func(force bool)) bool {
	r.hub.mu.Lock()
	r.onClose = end
	closing := r.hub.shutdown != nil && r.hub.shutdown.closing
	r.hub.mu.Unlock()
	if closing {
		end(false)
	}
	return !closing
}

// wait returns a channel that is closed when no place is reserved.
func (h *Hub) wait() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.idle == nil {
		h.idle = make(chan struct{})
		if len(h.reserved) == 0 {
			idle := h.idle
			h.idle = nil
			close(idle)
			return idle
		}
	}
	return h.idle
}

func (h *Hub) register(c *Conn) {
	h.mu.Lock()
	h.conns[c.id] = c
	delete(h.strangers, c)
	h.typed.frozen = true
	h.mu.Unlock()
	_ = c.enter(scope{})
	if s := c.Subject(); s != "" {
		_ = c.enter(scope{kind: subject, name: s})
	}
}

func (h *Hub) unregister(c *Conn) {
	h.mu.Lock()
	delete(h.conns, c.id)
	delete(h.strangers, c)
	h.mu.Unlock()
}
