package wire

import (
	"sync"
	"time"
)

// partial is a message that comes in pieces.
type partial struct {
	inFrame   bool   // in the payload of a frame
	frame     header // that one
	remaining int64  // of its payload
	skipping  bool   // it is not wanted

	inMessage  bool // after a fragment, before the last one
	compressed bool
	op         Opcode
	fragments  int
	since      time.Time // when its first bytes were looked at
	gathered   gathered
	held       int       // what that keeps in memory, as the sink knows it
	begun      time.Time // since when
	text       utf8Check
	inflated   inflated
}

var partialPool = sync.Pool{New: func() any { return new(partial) }}

// hold tells what is kept while the rest of the message is waited for.
func (p *parser) hold() {
	m := p.partial
	held := cap(m.gathered.data)
	if held == m.held {
		return
	}
	if m.held == 0 {
		m.begun = time.Now()
	}
	p.sink.holds(m.held, held, m.begun)
	m.held = held
}

// letGo tells that nothing is waited for any more.
func (p *parser) letGo() {
	if m := p.partial; m.held > 0 {
		p.sink.holds(m.held, 0, m.begun)
		m.held = 0
	}
}

// forget drops the message that is not whole.
func (p *parser) forget() {
	if p.partial != nil {
		p.letGo()
		p.partial.release()
		p.partial = nil
	}
}

func (m *partial) release() {
	m.gathered.release()
	*m = partial{}
	partialPool.Put(m)
}
