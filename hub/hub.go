package hub

import (
	"hash/maphash"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/heartbeat"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/rooms"
)

// Hub runs connections. Make one with [New] and end it with [Hub.Shutdown]; it holds no goroutine while nothing
// happens.
//
// Lock order: Conn.mu, then a room's lock, then the locks of internal/wire; Hub.mu is taken alone.
type Hub struct {
	cfg     Config
	wireCfg wire.Config
	rate    ratelimit.Rate
	log     *slog.Logger
	groups  *rooms.Registry[scope, *Conn] // everybody, and each subject
	rooms   *rooms.Registry[scope, *Conn]
	monitor *heartbeat.Monitor
	batches *batch.Batcher[entry] // nil without OnBatch
	count   counters
	epoch   atomic.Uint64 // counts what is sent to targets

	seed     maphash.Seed  // of the lanes of subjects
	nextLane atomic.Uint64 // of a connection without one

	draining chan struct{} // closed when a shutdown begins

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

type scopeKind uint8

const (
	everybody scopeKind = iota
	subject
	room
)

// registry returns where the members of a scope are.
func (h *Hub) registry(s scope) *rooms.Registry[scope, *Conn] {
	if s.kind == room {
		return h.rooms
	}
	return h.groups
}

// New returns a hub. It panics with a sentence that says what to change when no hub can work with cfg.
func New(cfg Config) *Hub {
	cfg.check()
	cfg = cfg.withDefaults()
	h := &Hub{
		cfg:      cfg,
		rate:     ratelimit.Rate{PerSecond: cfg.Rate, Burst: cfg.Burst},
		log:      cfg.Logger,
		groups:   rooms.New[scope, *Conn](rooms.Config{}),
		rooms:    rooms.New[scope, *Conn](rooms.Config{MaxMembers: cfg.RoomCapacity}),
		monitor:  heartbeat.New(heartbeat.Config{Interval: cfg.PingInterval, Timeout: cfg.PongTimeout}),
		seed:     maphash.MakeSeed(),
		draining: make(chan struct{}),
		conns:    make(map[string]*Conn),
		reserved: make(map[*Reservation]struct{}),
	}
	h.wireCfg = cfg.wire(h)
	if cfg.OnBatch != nil {
		h.batches = h.newBatcher()
	}
	return h
}

// Handles reports whether the hub has a handler. One without can only lend its caps and its shutdown to others.
func (h *Hub) Handles() bool {
	return h.cfg.OnMessage != nil || h.cfg.OnBatch != nil || h.cfg.OnConn != nil
}

// MaxMessage returns the longest message in bytes, as it is configured; 0: no limit.
func (h *Hub) MaxMessage() int { return h.cfg.MaxMessage }

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
func (h *Hub) Len() int { return h.groups.Len(scope{}) }

// Conns returns the connections there are at the time of the call.
func (h *Hub) Conns() iter.Seq[*Conn] { return h.groups.Members(scope{}) }

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
// [ErrDraining], [ErrFull].
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
	h.mu.Unlock()
	_ = c.enter(scope{})
	if s := c.Subject(); s != "" {
		_ = c.enter(scope{kind: subject, name: s})
	}
}

func (h *Hub) unregister(c *Conn) {
	h.mu.Lock()
	delete(h.conns, c.id)
	h.mu.Unlock()
}
