package wire

import (
	"time"
	"unicode/utf8"

	"github.com/fiberwsx/wsx/ws"
)

// sink takes what the parser finds, in order. Payloads are valid until the call returns.
type sink interface {
	// more reports that the same piece goes on behind the message.
	message(t ws.MessageType, payload []byte, more bool)
	control(op Opcode, payload []byte) error
	// discarding reports that messages are of no more interest: the parser only looks for control frames then.
	discarding() bool
}

// parser turns the bytes of a socket into messages. It takes them in whatever pieces they come and holds on to none:
// a message that lies whole in one piece is passed on in place, only the others are gathered.
type parser struct {
	sink         sink
	masked       bool // whether the peer has to mask, which a client has to
	maxMessage   int64
	maxFragments int
	maxAge       time.Duration

	inFrame   bool // in the payload of a data frame
	frame     header
	remaining int64 // of that payload
	skipping  bool  // that payload is not wanted

	inMessage bool // after a fragment, before the last one
	op        Opcode
	fragments int
	since     time.Time // of the first fragment; zero when the message has one frame
	gathered  gathered
	text      utf8Check
}

// feed parses b and returns how much of it is used up. The rest, fewer bytes than a control frame has, comes again in
// front of the next piece; so does a data frame of at most room bytes that is not whole yet. An error is a
// [ws.CloseError], and ends the parsing.
func (p *parser) feed(b []byte, room int) (used int, err error) {
	if p.late() && !p.sink.discarding() {
		return 0, ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "message took too long"}
	}
	for used < len(b) {
		n, err := p.step(b[used:], room)
		if err != nil || n == 0 {
			return used, err
		}
		used += n
	}
	return used, nil
}

// late reports whether a message has been in fragments for too long.
func (p *parser) late() bool {
	return p.maxAge > 0 && p.inMessage && !p.since.IsZero() && time.Since(p.since) > p.maxAge
}

// step handles one frame, or as much of one as is there, and returns how many bytes that took; 0 asks for more.
func (p *parser) step(b []byte, room int) (int, error) {
	if p.inFrame {
		return p.payload(b)
	}
	h, err := parseHeader(b, p.masked)
	if err != nil || h.size == 0 {
		return 0, err
	}
	if h.op.control() {
		return p.controlFrame(h, b[h.size:])
	}
	there := int64(len(b) - h.size)
	if h.length > there && h.length <= int64(room-h.size) {
		return 0, nil
	}
	p.skipping = p.sink.discarding()
	if p.skipping {
		p.inFrame, p.frame, p.remaining = true, h, h.length
		return p.afterHeader(b)
	}
	if err := p.begin(h); err != nil {
		return 0, err
	}
	if h.fin && !p.inMessage && h.length <= there {
		whole := h.size + int(h.length)
		return whole, p.inPlace(h, b[h.size:whole], whole < len(b))
	}
	p.inFrame, p.frame, p.remaining = true, h, h.length
	p.inMessage = true
	return p.afterHeader(b)
}

// afterHeader goes on behind the header, so that an empty payload ends its frame without waiting for more bytes.
func (p *parser) afterHeader(b []byte) (int, error) {
	n, err := p.payload(b[p.frame.size:])
	return p.frame.size + n, err
}

func (p *parser) controlFrame(h header, b []byte) (int, error) {
	if int64(len(b)) < h.length {
		return 0, nil
	}
	payload := b[:h.length]
	Mask(payload, h.key)
	return h.size + int(h.length), p.sink.control(h.op, payload)
}

// begin checks a data frame against the message it belongs to and against the limits, on its header alone.
func (p *parser) begin(h header) error {
	switch {
	case h.op == OpContinuation && !p.inMessage:
		return protocolError("continuation without a message")
	case h.op != OpContinuation && p.inMessage:
		return protocolError("message within a message")
	case p.maxMessage > 0 && h.length > p.maxMessage-int64(p.gathered.len()):
		return ws.CloseError{Status: ws.StatusMessageTooBig, Reason: "message too big"}
	}
	if h.op != OpContinuation {
		p.op, p.fragments, p.text, p.since = h.op, 0, utf8Check{}, time.Time{}
		if !h.fin {
			p.since = time.Now()
		}
	}
	if p.fragments++; p.maxFragments > 0 && p.fragments > p.maxFragments {
		return ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "too many fragments"}
	}
	return nil
}

func (p *parser) inPlace(h header, payload []byte, more bool) error {
	Mask(payload, h.key)
	if h.op == OpText && !utf8.Valid(payload) {
		return invalidText()
	}
	p.sink.message(ws.MessageType(h.op), payload, more)
	return nil
}

// payload takes what is there of the current frame's payload.
func (p *parser) payload(b []byte) (int, error) {
	n := int(min(p.remaining, int64(len(b))))
	piece := b[:n]
	p.remaining -= int64(n)
	if !p.skipping {
		p.frame.key = Mask(piece, p.frame.key)
		if p.op == OpText && !p.text.write(piece) {
			return n, invalidText()
		}
		p.gathered.add(piece)
	}
	if p.remaining > 0 {
		return n, nil
	}
	p.inFrame = false
	if p.skipping || !p.frame.fin {
		return n, nil
	}
	return n, p.finish(n < len(b))
}

func (p *parser) finish(more bool) error {
	if p.op == OpText && !p.text.complete() {
		return invalidText()
	}
	whole := p.gathered
	p.inMessage, p.gathered = false, gathered{}
	p.sink.message(ws.MessageType(p.op), whole.data, more)
	whole.release()
	return nil
}

func invalidText() error {
	return ws.CloseError{Status: ws.StatusInvalidPayload, Reason: "text is not UTF-8"}
}
