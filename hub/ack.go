package hub

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// AckProtocol is the subprotocol by which a client asks for acknowledgements.
const AckProtocol = "wsx.ack.v1"

// AckLevel says what a client is told of the messages it sent.
type AckLevel int

// What a client is told.
const (
	// AckNone tells a client nothing: at most once. On a graceful shutdown all that was read is still handled.
	AckNone AckLevel = iota
	// AckBatch acknowledges what OnBatch has returned nil for: at least once.
	AckBatch
	// AckResume does that, and goes on where the stored messages end, also after a crash: with [Batch.Positions] stored
	// in the transaction of the messages, and read back by Config.Position, nothing is stored twice. A message that
	// cannot be stored holds its lane until the DeadLetter takes it, or it can; what is rejected has to be stored in
	// the transaction of the others, see [Batch.Rejected], because the position passes it.
	AckResume
)

const (
	// An ack goes out when so many messages have been settled since the last one, or half a window, or so long after
	// it.
	ackEvery = 256
	ackDelay = 100 * time.Millisecond
	// nackRetry is when a client may send a message again that could not be stored.
	nackRetry = 500 * time.Millisecond
)

func appendAck(b []byte, number uint64) []byte {
	b = append(b, `{"wsx":"ack","seq":`...)
	return append(strconv.AppendUint(b, number, 10), '}')
}

func appendNack(b []byte, number uint64, code string, retry bool) []byte {
	b = append(b, `{"wsx":"nack","seq":`...)
	b = append(strconv.AppendUint(b, number, 10), `,"code":"`...)
	b = append(append(b, code...), `","retry":`...)
	if !retry {
		return append(b, "false}"...)
	}
	b = append(b, `true,"after_ms":`...)
	return append(strconv.AppendInt(b, nackRetry.Milliseconds(), 10), '}')
}

// hello is what a client is told first.
type hello struct {
	WSX         string `json:"wsx"`
	Stream      string `json:"stream"`
	Epoch       uint64 `json:"epoch"`
	Resumed     bool   `json:"resumed"`
	Next        uint64 `json:"next"`
	Window      int    `json:"window"`
	WindowBytes int    `json:"window_bytes"`
}

func (h hello) payload() []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return b
}

// share is how much of a window is settled when an ack goes out at once: a client that waits for room must not have to
// wait for the acker's next turn too.
type share struct {
	messages uint64
	bytes    int64
}

func (c Config) ackShare() share {
	s := share{messages: ackEvery, bytes: math.MaxInt64}
	if c.MaxUnsettled > 0 {
		s.messages = min(s.messages, uint64(max(1, c.MaxUnsettled/2)))
	}
	if c.MaxUnsettledBytes > 0 {
		s.bytes = int64(max(1, c.MaxUnsettledBytes/2))
	}
	return s
}
