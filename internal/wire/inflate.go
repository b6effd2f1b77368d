package wire

import (
	"github.com/fiberwsx/wsx/internal/deflate"
	"github.com/fiberwsx/wsx/ws"
)

// mostInflated is how many bytes a compressed message may hold where there is no other limit: a peer has to send what
// it makes the server keep, but for this.
const mostInflated = 64 << 20

// inflated is where a compressed message is inflated to. It refuses what is too long, or is no text, as it comes.
type inflated struct {
	partial  *partial
	max      int64
	gathered gathered
	err      error // why it has refused
}

// inflate puts what a compressed message holds in its place, or drops it, if it is of no interest. Where later messages
// refer to it, to drop it costs as much, so the peer has to wait then.
func (p *parser) inflate() (dropped bool, err error) {
	m := p.partial
	drop := p.sink.skips(m.gathered.len())
	if drop && !p.deflate.ClientTakeover {
		p.forget()
		return true, nil
	}
	p.sink.inflates()
	err = m.inflate(p.deflate, p.rules.maxMessage)
	p.sink.inflated(m.gathered.len())
	if err != nil || !drop {
		return false, err
	}
	bytes := m.gathered.len()
	p.forget()
	p.sink.wasted(bytes)
	return true, nil
}

// inflate puts what the compressed message holds in its place.
func (m *partial) inflate(s *deflate.Session, maxMessage int64) error {
	m.gathered.add([]byte(deflate.Tail))
	if maxMessage == 0 {
		maxMessage = mostInflated
	}
	m.inflated = inflated{partial: m, max: maxMessage, gathered: gathered{most: maxMessage}}
	err := s.Inflate(&m.inflated, m.gathered.data)
	m.gathered.release()
	m.gathered = m.inflated.gathered
	switch {
	case m.inflated.err != nil:
		return m.inflated.err
	case err != nil:
		return ws.CloseError{Status: ws.StatusInvalidPayload, Reason: "corrupt compressed message"}
	default:
		return nil
	}
}

// Write implements [deflate.Output].
func (i *inflated) Write(p []byte) (int, error) {
	switch {
	case int64(i.gathered.len()+len(p)) > i.max:
		i.err = tooBig()
	case i.partial.op == OpText && !i.partial.text.write(p):
		i.err = invalidText()
	default:
		i.gathered.add(p)
		return len(p), nil
	}
	return 0, i.err
}

// Bytes implements [deflate.Output].
func (i *inflated) Bytes() []byte { return i.gathered.data }
