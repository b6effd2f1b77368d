package wire

import (
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/internal/later"
	"github.com/fiberwsx/wsx/internal/turn"
)

// Config holds the limits of connections. In all of them 0 means that there is no limit.
type Config struct {
	MaxMessage     int64          // bytes of an incoming message
	MaxFragments   int            // of an incoming message
	MaxMessageAge  time.Duration  // from the first byte to the last
	ControlRate    int            // incoming pings and pongs a second
	OutboxMessages int            // waiting to be sent
	OutboxBytes    int            // waiting to be sent
	OutboxBudget   int            // bytes of memory that wait to be sent by all connections
	PartialBudget  int            // bytes of memory for the messages of all connections that are not whole yet
	WriteDeadline  time.Duration  // for the socket to take something of what it is given
	CloseTimeout   time.Duration  // for the close handshake
	Dropped        *atomic.Uint64 // counts messages that were accepted and could not be sent
	Shed           *atomic.Uint64 // counts those that their policy has dropped
	Conflated      *atomic.Uint64 // counts those that newer ones have replaced
	Cork           bool           // collect what is sent while more frames are in hand
	Compression    Compression    // of connections that agree to it
}

// Engine is what connections share.
type Engine struct {
	Config
	rules      rules
	start      time.Time             // ages are measured from here
	corks      *later.Queue[*outbox] // empties those that collect replies
	lot        lot
	outboxes   budget
	partials   budget
	compressor *deflate.Compressor
	sharing    atomic.Int64 // connections that take what was compressed for all
	takeTurn   func()       // of a goroutine with much to do
	burst      turn.Burst   // of connections that end or are closed
	readers    turn.Burst   // of much that has come at once
	writers    turn.Burst   // that look whether their sockets take something
	strainedAt atomic.Int64 // when a reader of much has last seen that too much waits; 0: never
	pace       pace         // of what is sent
	laden      atomic.Int32 // readers that wait for a turn with something in hand
	inflated   atomic.Int64 // bytes, by all connections, since the last turn for that
}

// NewEngine returns an engine. It starts nothing.
func NewEngine(cfg Config) *Engine {
	return &Engine{
		Config: cfg,
		start:  time.Now(),
		rules: rules{
			masked: true, maxMessage: cfg.MaxMessage, maxFragments: cfg.MaxFragments, maxAge: cfg.MaxMessageAge,
		},
		corks:      later.New(corkAge, (*outbox).pop),
		outboxes:   budget{most: cfg.OutboxBudget, patience: patience, shed: (*Conn).shed, spares: (*Conn).starves, close: (*Conn).overflow},
		partials:   budget{most: cfg.PartialBudget, patience: strainPatience, close: (*Conn).tryLater},
		compressor: deflate.NewCompressor(cfg.Compression.Level),
		takeTurn:   new(turn.Turns).Take,
	}
}

// letOthers has who waits for input go first, when many connections end or are closed at once.
func (e *Engine) letOthers() { e.burst.Piece(e.takeTurn) }

// Held returns how many bytes of memory wait to be sent, and how many are kept for messages that are not whole yet.
func (e *Engine) Held() (outboxes, partials int64) {
	return e.outboxes.used.Load(), e.partials.used.Load()
}

// labours reports whether too much waits for receivers or calls take long, or whether that was so when one with much to
// read came within the last second.
func (e *Engine) labours() bool {
	if e.outboxes.strained() {
		e.strainedAt.Store(e.age())
		return true
	}
	at := e.strainedAt.Load()
	return at != 0 && e.age()-at < int64(slowFor) || e.sendsSlowly()
}

// age returns how old the engine is in nanoseconds.
func (e *Engine) age() int64 { return int64(time.Since(e.start)) }
