// Package conformance holds a WebSocket server to RFC 6455 and RFC 7692, over real sockets: several hundred cases by
// section, each on a connection of its own.
//
//	func TestConformance(t *testing.T) {
//		srv := httptest.NewServer(echo) // or your own: it has to return each message as it came
//		defer srv.Close()
//		conformance.Run(t, conformance.Server{URL: "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"})
//	}
//
// It is strict. Where a server can send a close frame, it has to, with the status that the RFC names, and end the TCP
// connection then; a connection that is dropped instead fails the case. What came before a violation has to be answered
// first. Text that is no UTF-8 has to be refused at its first bad byte, and a message that is too long by the header
// that says so. Where the RFCs leave a choice, either is right.
//
// Limits of the server on handshakes, messages or control frames have to leave room: some hundred connections a second
// from one address, 100 messages and 20 control frames on each.
//
// # Concurrency
//
// [Run] runs the cases of a section in parallel, as many at once as the flag -parallel says. A [Case] may be run any
// number of times, and at once with others.
package conformance
