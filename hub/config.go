package hub

import (
	"cmp"
	"context"
	"log/slog"
	"math"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

// Message is one whole message; see [ws.Message].
type Message = ws.Message

// OverRate says what happens to a message over the rate of its connection.
type OverRate int

// What can happen to a message over the rate.
const (
	// Notify drops the message, counts it, and tells the client at most once a second with
	// {"type":"error","code":"rate_limited","retry_after_ms":n}.
	Notify OverRate = iota
	// Pause stops reading until the rate allows the message, so that TCP slows the client down.
	Pause
	// CloseOver closes the connection with 4005.
	CloseOver
)

// BatchPer says whose messages come together in a batch.
type BatchPer int

// Whose messages come together in a batch.
const (
	// Shared gathers the messages of many connections.
	Shared BatchPer = iota
	// PerConn gathers those of each connection by itself.
	PerConn
)

// Config says what a hub does with its connections. In every limit 0 means the default and a negative value means no
// limit.
type Config struct {
	// OnMessage handles each message. Its payload is valid until the function returns. An error that holds a
	// [ws.CloseError] closes the connection with it; any other goes to OnError, as does one that says how another
	// connection has ended.
	//
	// At most one of OnMessage, OnBatch and OnConn may be set; without any the hub has events, see [On].
	OnMessage func(c *Conn, m Message) error
	// OnBatch handles many messages at once. The batch is valid until the function returns. An error or a panic makes
	// it come again, later; ctx ends when a shutdown runs out of time. One connection's messages come in order.
	OnBatch func(ctx context.Context, b *Batch) error
	// OnConn owns the loop of a connection: it receives with [Conn.Messages] or [Conn.Receive], and its return closes
	// the connection, with 1000 or with the status of the error. wsx reads ahead at most 16 messages or 64 KiB.
	OnConn func(c *Conn) error

	// Codecs are encodings of events besides JSON; a client chooses one by its subprotocol. Optional. Default: nil.
	Codecs []codec.Codec

	// OnOpen is called before the first read; what it sends arrives first: until it has returned, nothing that is sent
	// to All or to the User reaches the connection. Its error closes the connection, with its status or with 1008.
	// Optional. Default: nil.
	OnOpen func(c *Conn) error
	// OnClose is called once for each connection whose OnOpen was entered, when its socket is gone. err says what
	// happened and always holds a [ws.CloseError]. Optional. Default: nil.
	OnClose func(c *Conn, err error)
	// OnError is told of errors that close nothing by themselves: a handler's, a panic, messages that are not stored. c
	// is nil when no single connection is meant. Optional. Default: a line in the log.
	OnError func(c *Conn, err error)
	// OnPing is called for each ping; its pong is queued already. It runs beside OnConn. Optional. Default: nil.
	OnPing func(c *Conn, payload []byte)
	// OnPong is called for each pong, those that answer the heartbeat too. It runs beside OnConn. Optional. Default:
	// nil.
	OnPong func(c *Conn, payload []byte)
	// OnJoin may refuse a room: its error is what Join returns. Optional. Default: every room is open.
	OnJoin func(c *Conn, room string) error
	// OnLeave is called after a connection has left a room, by Leave or by its end. Optional. Default: nil.
	OnLeave func(c *Conn, room string)

	// Batch says when a batch is complete and how often it is tried. Optional. Default: 500 messages, 1 MiB or 100 ms
	// from the first one; with PerConn 50, 256 KiB, 100 ms. 8 attempts, after random pauses of at most 100 ms, doubling
	// to 5 s. DropOldest needs AckNone.
	Batch batch.Config
	// BatchPer is Shared or PerConn. Optional. Default: Shared.
	BatchPer BatchPer
	// DeadLetter takes the messages that [Batch.Reject] was called for and those that OnBatch fails for even alone. It
	// is tried as often as OnBatch, with AckResume until the hub ends; there it has to store the position of what it
	// takes too, in the same transaction. Optional. Default: nil; then they are refused with a nack, or held, see
	// [batch.Config.OnPoison].
	DeadLetter func(ctx context.Context, rejected []Rejected) error
	// Ack is what clients are told that have asked for [AckProtocol]; it needs OnBatch. Optional. Default: AckNone.
	Ack AckLevel
	// AckAlways tells every client, whatever it has asked for. Optional. Default: false.
	AckAlways bool
	// StreamClaim is the claim of the token that names a client's stream. Optional. Default: the subject.
	StreamClaim string
	// StreamLookup is where a client without a token names its stream: "param:NAME", "query:NAME" or "header:NAME". The
	// name gets a "?" in front, so that it is nobody's subject. Optional. Default: nowhere; the stream ends with the
	// connection then.
	StreamLookup string
	// Position returns up to which number the messages of a stream are stored, and whether any are. AckResume needs it.
	// It is asked at the start of each connection, from its goroutine, because the client may have been with another
	// server on the same store meanwhile. An error closes the connection with 1013.
	Position func(ctx context.Context, stream string) (number uint64, known bool, err error)
	// MaxUnsettled and MaxUnsettledBytes bound what a client with acks has sent and is not told of; then its socket is
	// not read until there is room. Optional. Default: 1,000, 1 MiB.
	MaxUnsettled      int
	MaxUnsettledBytes int
	// IngestBudget bounds the bytes of all messages that batches hold; the memory that holds them may be twice as
	// much. At 80 % new connections get 503; at 100 % no socket is read that has something for a batch; with
	// Batch.DropOldest the oldest messages of a lane that wait make room for its new ones instead. Optional. Default:
	// 64 MiB.
	IngestBudget int

	// MaxConns is how many connections may be open; more get 503. Optional. Default: 10,000.
	MaxConns int
	// MaxMessage is the longest message in bytes; a longer one closes with 1009. Without a limit a compressed one may
	// still hold no more than 64 MiB. Optional. Default: 64 KiB.
	MaxMessage int
	// MaxFragments is how many fragments a message may have; more close with 1008. Optional. Default: 1,024.
	MaxFragments int
	// MaxMessageAge is how long a message may take from its first byte to its last, in fragments or in one frame.
	//
	// Optional. Default: 30 s.
	MaxMessageAge time.Duration
	// ControlRate is how many pings and pongs a client may send a second; more close with 1008. Those that wsx did not
	// read when they came, because a handler or a limit took its time, count for that time, a minute at most.
	// Optional. Default: 50.
	ControlRate int
	// Rate is how many messages a second a connection may send. Optional. Default: 100; no limit with OnBatch.
	Rate float64
	// Burst is how many messages may come at once. Optional. Default: twice the Rate.
	Burst int
	// RateBytes is how many bytes of payload a second a connection may send. Optional. Default: no limit.
	RateBytes float64
	// BurstBytes is how many bytes may come at once. Optional. Default: twice RateBytes, and MaxMessage at least.
	BurstBytes int
	// RateRule is how many messages a connection may send in a period, as in 10 a minute. Optional. Default: no limit.
	RateRule ratelimit.Rule
	// RatePerSubject and RatePerIP are how many messages a second may come from a subject, and from an address, over
	// all connections, those that have ended too; of an IPv6 address the first 64 bits count. Twice as many may come at
	// once. Each remembers the 65,536 that were seen last. Optional. Default: no limit.
	RatePerSubject float64
	RatePerIP      float64
	// OverRate is what happens to a message over one of these limits. Optional. Default: Notify.
	OverRate OverRate
	// ErrorBudget is how many errors in a row a handler may return before its connection closes with 1011. Optional.
	// Default: 5.
	ErrorBudget int
	// RoomCapacity is how many members a room may have. Optional. Default: no limit.
	RoomCapacity int
	// MaxRooms is how many rooms a connection may be in: clients often name them. Optional. Default: 1,000.
	MaxRooms int

	// Policy says what becomes of messages for a receiver whose outbox is full; [Target.With] chooses another one for a
	// message. Optional. Default: Close.
	Policy Policy
	// OnDrain is called when an outbox that was full is empty again, by no goroutine that reads: it runs beside the
	// other callbacks, before OnClose and one at a time for a connection. What has waited for that may be sent now.
	// Optional. Default: nil.
	OnDrain func(c *Conn)
	// OutboxMessages and OutboxBytes bound what waits for a slow receiver. When one is reached, [Conn.Send] waits as
	// long as the socket takes something; when it takes nothing for 50 ms of that, or has taken nothing for a second,
	// or after WriteDeadline, the connection closes with 4006. What is sent to a target is shared and waits for nobody:
	// it may fill OutboxBytes whatever the number of messages, and four times that, 4 MiB at least, unless the socket
	// has taken nothing for a second. Here and below a socket that would take something, for which a busy process has
	// had no time, counts as one that does, for 10 s; on Linux for Send alone so does one whose peer goes on
	// acknowledging. Optional. Default: 256, 1 MiB.
	OutboxMessages int
	OutboxBytes    int
	// OutboxBudget bounds the memory in bytes of all that waits for receivers; what is shared counts once. Each queue
	// counts 64 bytes for each part that waits in it beyond four (a message, or several that are kept together), and 72
	// for each place in its array beyond 37, towards the 16 KiB below too. While more than half of the budget is used,
	// [Conn.Send] waits for receivers for which more than 16 KiB wait, and those of them that have taken nothing for
	// 250 ms are closed with 4006, the worst first, until it is half; when all of it is used, those that have taken
	// nothing for 50 ms, and they are cut off. Who takes its messages is not closed for it, nor for whom less waits.
	// But while those for whom more waits use up all of it by themselves, so is who has been one of them for 250 ms,
	// with as much as they have on average or more, when it is sent to along with others, as a member of a room say.
	//
	// Meanwhile each read takes 4 KiB at most, but for one that waits already; and a connection that has sent as much
	// waits, 300 ms at most: one for which more than 16 KiB wait while more than half of it is used, any while all of
	// it is; and not again before there was room, nor for more than a tenth of the time for what waits for others, or
	// half of the time where all that waits is more than the budget by a quarter. Optional. Default: 12 MiB, or 4 times
	// OutboxBytes if that is more.
	OutboxBudget int
	// PartialBudget bounds the memory in bytes of messages that have begun and are not whole. While more than half of
	// it is used, those that keep more than 16 KiB and began 250 ms ago or before are closed with 1013, the worst
	// first, until it is half; when all of it is used, they are cut off. Optional. Default: 12 MiB, or 4 times
	// MaxMessage if that is more; none where MaxMessage has none.
	PartialBudget int
	// Compression is permessage-deflate. Optional. Default: off.
	Compression Compression
	// WriteDeadline is how long a socket may take nothing of what it is given, and how long [Conn.Send] waits at most
	// for one that takes little by little. Optional. Default: 10 s.
	WriteDeadline time.Duration
	// CloseTimeout is how long the peer may take to answer a close frame, and to take what it has not taken by
	// then; where the system is not Linux it has 500 ms at most for that. Optional. Default: 5 s.
	CloseTimeout time.Duration
	// PingInterval is the time between two pings, jittered. Optional. Default: 30 s; negative: no heartbeat.
	PingInterval time.Duration
	// PongTimeout is how long after a ping the peer may stay silent; any byte counts as life. Optional. Default: 10 s.
	PongTimeout time.Duration
	// IdleTimeout is how long a connection may go without a message from its client, pings and pongs not counted; then
	// it closes with 1000. A handler that runs is not idle. It is looked at every twentieth of it, at least every 10 s.
	// Optional. Default: no limit.
	IdleTimeout time.Duration
	// MaxLifetime is how long a connection may last, shortened by up to a tenth at random; then it closes with 1012, so
	// that its client comes back. Optional. Default: no limit.
	MaxLifetime time.Duration
	// DrainTimeout bounds Shutdown. Optional. Default: 20 s.
	DrainTimeout time.Duration
	// ShutdownStatus is what a shutdown closes with, such as [ws.StatusServerShutdown] for clients that are to know it
	// from every other end. Optional. Default: 1001.
	ShutdownStatus ws.Status

	// Immutable copies each payload, so that a handler may keep it; as in fiber.Config. Optional. Default: false.
	Immutable bool
	// Logger gets connects at debug, misbehaviour at warn, the shutdown's report at info. Optional. Default:
	// slog.Default().
	Logger *slog.Logger
}

// withDefaults returns c with every 0 replaced by its default and every negative limit by 0, which then means none.
func (c Config) withDefaults() Config {
	if c.Rate == 0 && c.OnBatch != nil {
		c.Rate = -1
	}
	if c.OnBatch == nil {
		c.Ack = AckNone
	}
	c.MaxConns = limit(c.MaxConns, 10_000)
	c.MaxMessage = limit(c.MaxMessage, 64<<10)
	c.MaxFragments = limit(c.MaxFragments, 1024)
	c.MaxMessageAge = limit(c.MaxMessageAge, 30*time.Second)
	c.ControlRate = limit(c.ControlRate, 50)
	c.Rate = limit(c.Rate, 100)
	c.Burst = burst(c.Burst, c.Rate)
	c.RateBytes, c.RatePerSubject, c.RatePerIP = limit(c.RateBytes, 0), limit(c.RatePerSubject, 0), limit(c.RatePerIP, 0)
	c.BurstBytes = limit(c.BurstBytes, max(c.MaxMessage, twice(c.RateBytes)))
	c.IdleTimeout, c.MaxLifetime = limit(c.IdleTimeout, 0), limit(c.MaxLifetime, 0)
	c.ErrorBudget = limit(c.ErrorBudget, 5)
	c.RoomCapacity = limit(c.RoomCapacity, 0)
	c.MaxRooms = limit(c.MaxRooms, 1000)
	c.MaxUnsettled = limit(c.MaxUnsettled, 1000)
	c.MaxUnsettledBytes = limit(c.MaxUnsettledBytes, 1<<20)
	c.IngestBudget = limit(c.IngestBudget, 64<<20)
	c.OutboxMessages = limit(c.OutboxMessages, 256)
	c.OutboxBytes = limit(c.OutboxBytes, 1<<20)
	c.OutboxBudget = limit(c.OutboxBudget, budgetFor(c.OutboxBytes))
	if c.MaxMessage > 0 {
		c.PartialBudget = orDefault(c.PartialBudget, budgetFor(c.MaxMessage))
	}
	c.PartialBudget = limit(c.PartialBudget, 0)
	if c.Ack == AckResume {
		c.Batch.OnPoison = batch.Hold
	}
	c.Compression = c.Compression.withDefaults()
	c.WriteDeadline = limit(c.WriteDeadline, 10*time.Second)
	c.CloseTimeout = limit(c.CloseTimeout, 5*time.Second)
	c.DrainTimeout = limit(c.DrainTimeout, 20*time.Second)
	c.ShutdownStatus = cmp.Or(c.ShutdownStatus, ws.StatusGoingAway)
	if c.BatchPer == PerConn {
		c.Batch.MaxItems = orDefault(c.Batch.MaxItems, 50)
		c.Batch.MaxBytes = orDefault(c.Batch.MaxBytes, 256<<10)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// budgetFor returns the default of what all connections may hold where each may hold so much.
func budgetFor(each int) int { return max(12<<20, 4*min(each, math.MaxInt/4)) }

func orDefault[T int | float64 | time.Duration](v, byDefault T) T {
	if v == 0 {
		return byDefault
	}
	return v
}

func limit[T int | float64 | time.Duration](v, byDefault T) T { return max(0, orDefault(v, byDefault)) }

// engine returns the limits of the connections. Answers are collected only where they come from the goroutine that
// reads.
func (c Config) engine(h *Hub) wire.Config {
	return wire.Config{
		MaxMessage:     int64(c.MaxMessage),
		MaxFragments:   c.MaxFragments,
		MaxMessageAge:  c.MaxMessageAge,
		ControlRate:    c.ControlRate,
		OutboxMessages: c.OutboxMessages,
		OutboxBytes:    c.OutboxBytes,
		OutboxBudget:   c.OutboxBudget,
		PartialBudget:  c.PartialBudget,
		WriteDeadline:  c.WriteDeadline,
		CloseTimeout:   c.CloseTimeout,
		Dropped:        &h.count.unsent,
		Shed:           &h.count.shed,
		Conflated:      &h.count.conflated,
		Cork:           c.OnBatch == nil && c.OnConn == nil,
		Compression:    c.Compression.engine(),
	}
}
