package wire

import (
	"math"
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
)

// sink takes what the parser finds, in order. Payloads are valid until the call returns, or longer.
type sink interface {
	// more reports that the same piece goes on behind the message; lasts, that payload is valid as long as the piece.
	message(t ws.MessageType, payload []byte, more, lasts bool)
	control(op Opcode, payload []byte, more bool) error
	// holds tells how much memory is kept for a message that is not whole, since when, and how much that was before.
	holds(before, bytes int, since time.Time)
	// skips reports that a compressed message of so many bytes is of no interest, before it is inflated; wasted, that
	// one of so many bytes had to be inflated all the same.
	skips(size int) bool
	wasted(bytes int)
	// inflates is called before a message is inflated, and inflated after that, with how many bytes have come out.
	inflates()
	inflated(bytes int)
	// discarding reports that messages are of no more interest: the parser only looks for control frames then.
	discarding() bool
}

// rules are what a parser holds its peer to. In the limits 0 means that there is none.
type rules struct {
	masked       bool // whether the peer has to mask, which a client has to
	maxMessage   int64
	maxFragments int
	maxAge       time.Duration
}

// parser turns the bytes of a socket into messages. It takes them in whatever pieces they come and holds on to none:
// a message that lies whole in one piece is passed on in place, only the others are gathered. Between messages it is
// four words.
type parser struct {
	sink    sink
	rules   *rules
	partial *partial         // the message that is not whole yet, or nil
	deflate *deflate.Session // nil: no message may be compressed
}

// feed parses b and returns how much of it is used up. The rest, fewer bytes than a control frame has, comes again in
// front of the next piece; so does a data frame of at most room bytes that is not whole yet. An error is a
// [ws.CloseError], and ends the parsing.
func (p *parser) feed(b []byte, room int) (used int, err error) {
	if p.late() && !p.sink.discarding() {
		return 0, ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "message took too long"}
	}
	for used < len(b) {
		var n int
		if n, err = p.wholes(b[used:]); err != nil {
			break
		}
		used += n
		if n, err = p.step(b[used:], room); err != nil || n == 0 {
			break
		}
		used += n
	}
	if m := p.partial; m != nil && m.since.IsZero() {
		m.since = time.Now()
	}
	return used, err
}

// late reports whether a message has been on its way for too long, in fragments or in one frame.
func (p *parser) late() bool {
	m := p.partial
	return m != nil && p.rules.maxAge > 0 && time.Since(m.since) > p.rules.maxAge
}

// wholes handles the messages at the start of b that are the most frequent kind of frame; see [wholeMessage].
func (p *parser) wholes(b []byte) (used int, err error) {
	if p.partial != nil || !p.rules.masked {
		return 0, nil
	}
	for used < len(b) && err == nil {
		op, key, start, end := wholeMessage(b[used:])
		if end == 0 {
			break
		}
		start, end = used+start, used+end
		used = end
		err = p.inPlace(op, key, b[start:end], end < len(b))
	}
	return used, err
}

// step handles one frame, or as much of one as is there, and returns how many bytes that took; 0 asks for more.
func (p *parser) step(b []byte, room int) (int, error) {
	if p.partial != nil && p.partial.inFrame {
		return p.payload(b)
	}
	h, err := parseHeader(b, p.rules.masked, p.deflate != nil)
	if err != nil || h.size == 0 {
		return 0, err
	}
	if h.op.control() {
		return p.controlFrame(h, b[h.size:])
	}
	there := int64(len(b) - h.size)
	switch {
	case h.length > there && h.length <= int64(room-h.size) && !p.isText(h.op):
		return 0, nil
	case h.fin && h.length <= there && p.partial == nil && h.op != OpContinuation && !h.compressed:
		end := h.size + int(h.length)
		return end, p.inPlace(h.op, h.key, b[h.size:end], end < len(b))
	default:
		return p.piece(h, b)
	}
}

// isText reports whether a frame is a part of a text. That one is looked at piece by piece, to fail at the first byte
// that is wrong.
func (p *parser) isText(op Opcode) bool {
	return op == OpText || op == OpContinuation && p.partial != nil && p.partial.op == OpText
}

func (p *parser) controlFrame(h header, b []byte) (int, error) {
	if int64(len(b)) < h.length {
		return 0, nil
	}
	payload := b[:h.length]
	Mask(payload, h.key)
	return h.size + int(h.length), p.sink.control(h.op, payload, len(b) > len(payload))
}

// inPlace handles a message that is one frame, all of it there.
func (p *parser) inPlace(op Opcode, key uint32, payload []byte, more bool) error {
	if p.sink.discarding() {
		return nil
	}
	if p.rules.maxMessage > 0 && int64(len(payload)) > p.rules.maxMessage {
		return tooBig()
	}
	Mask(payload, key)
	if op == OpText && !utf8.Valid(payload) {
		return invalidText()
	}
	p.sink.message(ws.MessageType(op), payload, more, true)
	return nil
}

// piece handles what is there of a frame that is not a message by itself.
func (p *parser) piece(h header, b []byte) (int, error) {
	if p.partial == nil {
		p.partial = partialPool.Get().(*partial)
	}
	m := p.partial
	if m.skipping = p.sink.discarding(); !m.skipping {
		if err := p.begin(h); err != nil {
			return 0, err
		}
		m.inMessage = true
	}
	m.inFrame, m.frame, m.remaining = true, h, h.length
	n, err := p.payload(b[h.size:]) // even without any, so that an empty frame ends without waiting for more
	return h.size + n, err
}

// begin checks a data frame against the message it belongs to and against the limits, on its header alone.
func (p *parser) begin(h header) error {
	m := p.partial
	switch {
	case h.op == OpContinuation && !m.inMessage:
		return protocolError("continuation without a message")
	case h.op != OpContinuation && m.inMessage:
		return protocolError("message within a message")
	}
	if h.op != OpContinuation {
		m.op, m.compressed = h.op, h.compressed
	}
	most := p.most()
	if most > 0 && h.length > most-int64(m.gathered.len()) {
		return tooBig()
	}
	switch m.gathered.most = most; {
	case most == 0:
		m.gathered.most = math.MaxInt64
	case m.compressed:
		m.gathered.most += int64(len(deflate.Tail))
	}
	if m.fragments++; p.rules.maxFragments > 0 && m.fragments > p.rules.maxFragments {
		return ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "too many fragments"}
	}
	return nil
}

// most returns how many bytes the payload of the current message may have on the wire. What a message of the longest
// size takes when it is compressed in small pieces is not known; twice its size is more than any compressor needs.
func (p *parser) most() int64 {
	if p.partial.compressed && p.rules.maxMessage > 0 {
		return 2*min(p.rules.maxMessage, math.MaxInt64/4) + 1024
	}
	return p.rules.maxMessage
}

// payload takes what is there of the current frame's payload.
func (p *parser) payload(b []byte) (int, error) {
	m := p.partial
	n := int(min(m.remaining, int64(len(b))))
	piece := b[:n]
	m.remaining -= int64(n)
	if !m.skipping {
		m.frame.key = Mask(piece, m.frame.key)
		if m.op == OpText && !m.compressed && !m.text.write(piece) {
			return n, invalidText()
		}
		m.gathered.add(piece)
	}
	if m.remaining > 0 {
		p.hold()
		return n, nil
	}
	m.inFrame = false
	switch {
	case m.skipping:
		p.forget()
	case m.frame.fin:
		return n, p.finish(n < len(b))
	default:
		p.hold()
	}
	return n, nil
}

// finish hands over a message that is whole now.
func (p *parser) finish(more bool) error {
	m := p.partial
	p.letGo()
	if m.compressed {
		if dropped, err := p.inflate(); err != nil || dropped {
			return err
		}
	}
	if m.op == OpText && !m.text.complete() {
		return invalidText()
	}
	p.partial = nil
	if !p.sink.discarding() {
		p.sink.message(ws.MessageType(m.op), m.gathered.data, more, false)
	}
	m.release()
	return nil
}

func invalidText() error {
	return ws.CloseError{Status: ws.StatusInvalidPayload, Reason: "text is not UTF-8"}
}

func tooBig() error {
	return ws.CloseError{Status: ws.StatusMessageTooBig, Reason: "message too big"}
}
