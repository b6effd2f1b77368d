package wire

import (
	"sync"

	"github.com/fiberwsx/wsx/internal/deflate"
)

// Compression says how messages are compressed for the connections that have agreed to it; see [Conn.Compress].
type Compression struct {
	Level     int // from 1 to 9
	Threshold int // bytes of payload from which a message is compressed
	Bits      int // of the window of connections that share what was compressed
}

// Packed is a payload that was compressed so that it stands for itself: any connection that shares what is compressed
// may have it.
type Packed struct{ data []byte }

// mostPacked is how much memory a packed payload may have to be used again.
const mostPacked = 256 << 10

var packedPool = sync.Pool{New: func() any { return new(Packed) }}

// Pack compresses a payload once for all connections that share what is compressed, for [Round.Append]. It returns nil
// when there are none, when the payload is below the threshold, and when it does not become smaller.
func (e *Engine) Pack(payload []byte) *Packed {
	if e.sharing.Load() == 0 || len(payload) < e.Compression.Threshold {
		return nil
	}
	p := packedPool.Get().(*Packed)
	p.data = e.compressor.Append(p.data[:0], payload, nil, e.Compression.Bits)
	return p.ifSmaller(payload)
}

// Free gives the memory back. p may be nil.
func (p *Packed) Free() {
	if p == nil || cap(p.data) > mostPacked {
		return
	}
	poison(p.data)
	packedPool.Put(p)
}

// ifSmaller returns p, or frees it and returns nil when compressing was of no use.
func (p *Packed) ifSmaller(payload []byte) *Packed {
	if len(p.data) < len(payload) {
		return p
	}
	p.Free()
	return nil
}

// Compress says that the connection has agreed to permessage-deflate. It has to be called before [Conn.Run] or
// [Conn.Go]; the engine has a level.
func (c *Conn) Compress(p deflate.Params) {
	c.parser.deflate = deflate.NewSession(p)
	if c.shares() {
		c.engine.sharing.Add(1)
	}
}

// shares reports whether the connection takes what was compressed for all.
func (c *Conn) shares() bool {
	s := c.parser.deflate
	return s != nil && !s.ServerTakeover && s.ServerBits >= c.engine.Compression.Bits
}

// compresses reports whether a message is long enough to be compressed for this connection.
func (c *Conn) compresses(payload []byte) bool {
	return c.parser.deflate != nil && len(payload) >= c.engine.Compression.Threshold
}

// pack compresses a payload for this connection alone; nil when it does not become smaller. With context takeover the
// outbox is locked, and the payload goes out next.
func (c *Conn) pack(payload []byte) *Packed {
	p := packedPool.Get().(*Packed)
	s := c.parser.deflate
	p.data = s.Deflate(c.engine.compressor, p.data[:0], payload)
	if p = p.ifSmaller(payload); p != nil {
		s.Sent(payload)
	}
	return p
}
