// Package wire is the engine under a connection: it parses and builds the frames of RFC 6455, unmasks, checks UTF-8,
// runs the close handshake, and moves the bytes through a bounded outbox and a transport. It knows one connection and
// no hub.
//
// # Concurrency
//
// [Conn.Run] is called once, from the goroutine that owns the connection, and calls the [Handler] from there. Every
// other method may be called at any time and from any goroutine, after the connection has ended too.
//
// Lock order: Conn.mu, then outbox.mu. Neither is held while the handler runs or the socket is written to.
package wire
