// Package hub runs WebSocket connections: it calls the handlers, gathers batches, keeps the rooms, limits the rates,
// watches the heartbeats and ends it all in order. It knows nothing of Fiber or of any other framework: a connection
// whose handshake is done comes in through [Hub.Serve].
//
// # Concurrency
//
// Every method of [Hub], [Conn], [Target] and [Room] may be called at any time and from any goroutine, also after the
// connection has closed or the hub has shut down; then it does nothing and says so with [ErrClosed].
//
// The callbacks of one connection run one at a time and in order; those of different connections run at once. A
// callback may block: it holds up its own connection and no other. OnJoin and OnLeave run where Join and Leave are
// called.
//
// # Cost
//
// On Linux, without TLS, a connection with nothing to do has no goroutine, no buffer and no timer: it costs one
// descriptor and about 1.5 KiB of Go's heap, heartbeat included, and the headers of its request. While messages come it
// has a goroutine besides, some 3 KiB or what its handler makes of it; the heartbeat takes that away again. A read
// buffer of 32 KiB and what waits to be sent come from pools, for as long as they are used. Over TLS, on other systems
// and on wrapped listeners a connection holds its goroutine with whatever Fiber has for it and a buffer of 4 KiB all
// the time; [Stats] counts both kinds.
//
// A message costs no allocation: not to be handled, not to be sent, not for a receiver of a room, not on its way into a
// batch. Answers to messages that were read together go out in one write, at most 1 ms after the first; what is sent to
// a room while an earlier message goes out to it goes out in one write for each receiver.
package hub
