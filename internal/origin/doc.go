// Package origin decides whether the Origin of a request may open a connection: against the patterns that a program
// lists, and against the Host that the request was sent to.
//
// An origin is scheme://host[:port] as a browser writes it, and nothing else: what no browser would send is refused and
// never repaired, so that no two readers can understand it differently. A pattern that can never match is an error.
package origin
