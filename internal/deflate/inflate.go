package deflate

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// ErrCorrupt means that a message is not what RFC 7692, section 7.2.1, makes of any payload.
var ErrCorrupt = errors.New("deflate: corrupt message")

const (
	// Tail has to follow the data of a compressed message for [Session.Inflate]: the end that the wire leaves out, and
	// a final block, by which the reader knows that the end is not missing.
	Tail = tail + "\x01" + tail
	// MaxFinal is how many final blocks a message may have, the one of Tail included unless another one is the end of
	// the message. Each makes the reader start anew, with all of the window.
	MaxFinal = 8
)

// Session is what one connection has agreed on, and what its two sides refer to. It is for one goroutine that inflates
// and one at a time that deflates, or several where the server does not take its context over.
type Session struct {
	Params
	sent     window // compressed by the server, when it takes its context over
	received window // by the client, likewise
}

// NewSession returns the session of a connection. It holds no memory until something was sent compressed, and then at
// most the two windows, of the sides that take their context over.
func NewSession(p Params) *Session {
	s := &Session{Params: p}
	s.sent.size, s.received.size = 1<<p.ServerBits, 1<<p.ClientBits
	return s
}

// Forget gives the windows up: nothing is inflated any more, nor deflated where the server takes its context over.
// Other messages, which refer to nothing, may be deflated meanwhile.
func (s *Session) Forget() {
	if s.sent.data != nil { // only where the server takes its context over
		s.sent.data = nil
	}
	s.received.data = nil
}

// Deflate appends the payload compressed to dst. What it refers to does not move before [Session.Sent]: a message that
// is not sent in the end leaves no trace.
func (s *Session) Deflate(c *Compressor, dst, payload []byte) []byte {
	return c.Append(dst, payload, s.sent.data, s.ServerBits)
}

// Sent notes that a payload was sent compressed.
func (s *Session) Sent(payload []byte) {
	if s.ServerTakeover {
		s.sent.slide(payload)
	}
}

// Inflate writes what a message holds to dst, in pieces of at most 32 KiB, and stops at dst's first error. data is the
// payload of all its frames and [Tail]; without any payload, which no compressor makes, the message is empty. Other
// errors are [ErrCorrupt].
func (s *Session) Inflate(dst Output, data []byte) error {
	if len(data) == len(Tail) {
		return nil
	}
	r := inflaterPool.Get().(*inflater)
	defer r.release()
	r.src.Reset(data)
	if err := r.inflate(dst, s.received.data); err != nil {
		return err
	}
	if s.ClientTakeover {
		s.received.slide(dst.Bytes())
	}
	return nil
}

// Output takes what a message holds.
type Output interface {
	io.Writer
	// Bytes returns all that was written.
	Bytes() []byte
}

var inflaterPool = sync.Pool{New: func() any { return new(inflater) }}

// inflater reads deflate streams out of memory.
type inflater struct {
	src    bytes.Reader
	stream io.ReadCloser // made when it is first needed
	to     Output
	err    error // of to
	window []byte
}

func (r *inflater) inflate(dst Output, window []byte) error {
	r.to = dst
	dictionary := window
	for range MaxFinal {
		r.start(dictionary)
		if _, err := r.stream.(io.WriterTo).WriteTo(r); r.err != nil {
			return r.err
		} else if err != nil {
			return ErrCorrupt
		}
		switch r.src.Len() {
		case 0: // the final block of Tail
			return nil
		case len(Tail): // the peer's own final block was its last
			return nil
		}
		dictionary = r.recent(window, dst.Bytes())
	}
	return ErrCorrupt
}

// start begins a stream where the one before has ended.
func (r *inflater) start(dictionary []byte) {
	if r.stream == nil {
		r.stream = flate.NewReaderDict(&r.src, dictionary)
		return
	}
	_ = r.stream.(flate.Resetter).Reset(&r.src, dictionary) // never fails
}

// recent returns the largest window that ends with data.
func (r *inflater) recent(window, data []byte) []byte {
	if len(data) >= 1<<MaxBits {
		return data[len(data)-1<<MaxBits:]
	}
	r.window = append(append(r.window[:0], window...), data...)
	return r.window
}

// Write passes a piece on, and keeps the error apart from those of the stream.
func (r *inflater) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := r.to.Write(p)
	r.err = err
	return n, err
}

func (r *inflater) release() {
	r.src.Reset(nil)
	r.to, r.err = nil, nil
	inflaterPool.Put(r)
}
