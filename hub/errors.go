package hub

import (
	"errors"
	"fmt"

	"github.com/fiberwsx/wsx/internal/wire"
)

// The errors of a connection's methods.
var (
	// ErrClosed means that the connection is closing or has closed.
	ErrClosed = wire.ErrClosed
	// ErrSlowConsumer means that the peer takes its messages too slowly; the connection closes with 4006.
	ErrSlowConsumer = wire.ErrSlowConsumer
	// ErrInvalidUTF8 means that a text message to be sent is not UTF-8.
	ErrInvalidUTF8 = wire.ErrInvalidUTF8
	// ErrMessageType means that a message to be sent is neither text nor binary.
	ErrMessageType = wire.ErrMessageType
	// ErrControlTooLong means that the payload of a ping or a pong is longer than 125 bytes.
	ErrControlTooLong = wire.ErrControlTooLong
	// ErrStatus means that a close frame may not carry the status.
	ErrStatus = wire.ErrStatus
)

// The errors of a hub's methods.
var (
	// ErrRoomFull means that the room has as many members as it may have. A handler that returns it closes its
	// connection with 4002.
	ErrRoomFull = errors.New("hub: room full")
	// ErrTooManyRooms means that the connection is in as many rooms as it may be; see Config.MaxRooms.
	ErrTooManyRooms = errors.New("hub: too many rooms")
	// ErrRoomName means that the name of a room has more than 1,024 bytes.
	ErrRoomName = errors.New("hub: name of a room too long")
	// ErrNotMember means that a connection wanted to send to a room that it has not joined.
	ErrNotMember = errors.New("hub: not a member of the room")
	// ErrDraining means that the hub is shutting down.
	ErrDraining = errors.New("hub: draining")
	// ErrFull means that the hub has as many connections as it may have.
	ErrFull = errors.New("hub: connection limit reached")
	// ErrOverloaded means that the batches hold so much that new connections are refused; see Config.IngestBudget.
	ErrOverloaded = errors.New("hub: ingest budget used up")
	// ErrNoReceive means that Receive was called on a connection of a hub without OnConn.
	ErrNoReceive = errors.New("hub: Receive needs a hub with OnConn")
)

// PanicError says that a callback panicked, or ended its goroutine with runtime.Goexit. It does not hold what the
// panic said, which may be a secret.
type PanicError struct {
	// Callback is the name of the callback, as in "OnMessage".
	Callback string
	// Goexit tells runtime.Goexit from a panic.
	Goexit bool
	// Stack is the stack of the panic.
	Stack []byte
}

// Error names the callback.
func (e *PanicError) Error() string {
	if e.Goexit {
		return "hub: runtime.Goexit in " + e.Callback
	}
	return "hub: panic in " + e.Callback
}

// ShutdownError says what a shutdown could not finish.
type ShutdownError struct {
	// Abandoned is how many messages were given up, as in [Report]. None of them was acknowledged.
	Abandoned uint64
	// Stuck is how many connections had a callback that did not return in time.
	Stuck int
}

// Error names both numbers.
func (e *ShutdownError) Error() string {
	return fmt.Sprintf("hub: shut down with %d messages abandoned and %d callbacks that did not return",
		e.Abandoned, e.Stuck)
}
