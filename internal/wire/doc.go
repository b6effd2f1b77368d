// Package wire is the engine under a connection: it parses and builds the frames of RFC 6455, unmasks, checks UTF-8,
// runs the close handshake, and moves the bytes through a bounded outbox and a transport. It knows connections and no
// hub.
//
// # Transports
//
// A plain TCP socket on Linux is detached: it goes on under a descriptor of its own. While such a connection has
// nothing to do it waits in its engine's lot, one epoll descriptor for all, without a goroutine; a message gives it
// one, which stays in Go's poller until [Conn.Rest] finds that no more have come. Whoever sends writes what the socket
// takes at once, without waiting. Every other socket, and one for which no descriptor is to be had, is driven in place:
// a goroutine reads, another writes while there is something to write.
//
// # Concurrency
//
// [Conn.Run] or [Conn.Go] is called once, and the [Handler] is called from the goroutine that reads. Every other method
// may be called at any time and from any goroutine, after the connection has ended too.
//
// Lock order: Conn.mu or the lot's, then outbox.mu, then that of the corks. None is held while the handler runs or a
// socket is waited for.
package wire
