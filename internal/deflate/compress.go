package deflate

import (
	"sync"

	"github.com/klauspost/compress/flate"
)

// tail is what a flushed deflate stream ends with. It is left out on the wire (RFC 7692, section 7.2.1).
const tail = "\x00\x00\xff\xff"

// Compressor compresses messages. It may be used by several goroutines at once: what a message may refer to is the
// caller's, so that no compressor belongs to a connection.
type Compressor struct {
	level int
	pools [MaxBits + 1]sync.Pool // of *deflater, by window bits
	lower sync.Pool              // of those of lowerLevel
}

// lowerLevel is the highest one that takes a dictionary: above, a first block that is stored would hold that too.
const lowerLevel = 6

// NewCompressor returns a compressor of a level from 1 (fastest) to 9 (smallest). Windows below 32 KiB have a level of
// their own, and what refers to a dictionary has level 6 at most.
func NewCompressor(level int) *Compressor { return &Compressor{level: level} }

// Append appends the payload compressed, as a message carries it, to dst. Its references go back at most 1<<bits bytes,
// and into dictionary, the end of what the receiver has in its window; with nil the message stands for itself.
func (c *Compressor) Append(dst, payload, dictionary []byte, bits int) []byte {
	level, pool := c.level, &c.pools[bits]
	if level > lowerLevel && bits == MaxBits && len(dictionary) > 0 {
		level, pool = lowerLevel, &c.lower
	}
	d, _ := pool.Get().(*deflater)
	if d == nil {
		d = newDeflater(level, bits)
	}
	dst = d.append(dst, payload, dictionary)
	pool.Put(d)
	return dst
}

// deflater is a flate writer that appends to a slice.
type deflater struct {
	w   *flate.Writer
	dst []byte
}

func newDeflater(level, bits int) *deflater {
	d := new(deflater)
	var err error
	if bits == MaxBits {
		d.w, err = flate.NewWriter(d, level)
	} else {
		d.w, err = flate.NewWriterWindow(d, 1<<bits)
	}
	if err != nil {
		panic(err) // level and bits are checked by whoever configures them
	}
	return d
}

// Write implements [io.Writer].
func (d *deflater) Write(p []byte) (int, error) {
	d.dst = append(d.dst, p...)
	return len(p), nil
}

func (d *deflater) append(dst, payload, dictionary []byte) []byte {
	d.dst = dst
	d.w.ResetDict(d, dictionary)
	_, _ = d.w.Write(payload) // errors come only from Write above
	_ = d.w.Flush()
	dst = d.dst[:len(d.dst)-len(tail)]
	d.dst = nil
	return dst
}
