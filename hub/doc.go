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
package hub
