// Package wsxtest is a kit for tests of WebSocket servers: a client that does what it is told, right or wrong, on a
// real socket or in memory.
//
// A [Client] is for one goroutine that reads and one that writes. Its methods without an error fail the test.
package wsxtest
