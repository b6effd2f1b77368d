// Package wsxtest is a kit for tests of WebSocket servers: a client that does what it is told, right or wrong, on a
// real socket or in memory, and connections on which things go wrong.
//
// A [Client] is for one goroutine that reads and one that writes. Its methods without an error fail the test.
//
// [Faulty] makes a connection slow, scattered, silent, cut off or half closed, at the byte that you name; the Faults of
// [Options] do that to a client's frames.
package wsxtest
