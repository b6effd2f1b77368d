// Package deflate is permessage-deflate (RFC 7692): what both sides agree on in the handshake, and what they do to a
// message then. It knows no frames.
package deflate
