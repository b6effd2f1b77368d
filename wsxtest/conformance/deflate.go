package conformance

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

const tail = "\x00\x00\xff\xff" // which messages are sent without (RFC 7692, section 7.2.1)

// inflater reads the server's compressed messages. Nil: none may come.
type inflater struct {
	takeover bool
	before   []byte // what the next message may refer to
	bits     int
}

func (i *inflater) inflate(p []byte) ([]byte, error) {
	// What the server has left out, and a last block, so that the reader knows where the end is.
	whole := slices.Concat(p, []byte(tail+"\x01\x00\x00\xff\xff"))
	in := bytes.NewReader(whole)
	r := flate.NewReaderDict(in, i.before)
	out, err := io.ReadAll(io.LimitReader(r, maxReceived))
	switch last := in.Len(); {
	case err != nil:
		return nil, err
	case len(out) == maxReceived:
		return nil, errors.New("it is a bomb")
	case last != 0 && last != afterBFINAL:
		return nil, fmt.Errorf("%d bytes follow its last block", last-len(tail)-5)
	}
	if d, err := farthest(whole); err != nil || d > 1<<i.bits {
		return nil, errors.Join(fmt.Errorf("it refers %d bytes back, which a window of %d bits does not hold", d, i.bits), err)
	}
	if i.takeover {
		i.before = latest(append(i.before, out...), 1<<i.bits)
	}
	return out, nil
}

// afterBFINAL is what is left when the server has ended with a last block of its own: the byte that has to follow it
// (RFC 7692, section 7.2.3.4), and what the inflater adds.
const afterBFINAL = 1 + len(tail) + 5

// latest returns the last n bytes of p, or all of them.
func latest(p []byte, n int) []byte { return p[max(0, len(p)-n):] }

// deflater makes the client's compressed messages.
type deflater struct {
	takeover bool
	level    int
	w        *flate.Writer // with takeover: knows the messages before
	out      bytes.Buffer
}

// deflate compresses a message, each of its parts in blocks of its own.
func (d *deflater) deflate(parts ...[]byte) []byte {
	if d.w == nil {
		d.w = writers.take(d.level, &d.out)
	}
	for _, p := range parts {
		_, _ = d.w.Write(p)
		_ = d.w.Flush()
	}
	if !d.takeover {
		writers.put(d.level, d.w)
		d.w = nil
	}
	message := bytes.TrimSuffix(bytes.Clone(d.out.Bytes()), []byte(tail))
	d.out.Reset()
	return message
}

// pools are writers that nobody uses, by level: each has more than half a megabyte.
type pools [flate.BestCompression - flate.HuffmanOnly + 1]sync.Pool

var writers pools

func (p *pools) take(level int, to io.Writer) *flate.Writer {
	if w, ok := p[level-flate.HuffmanOnly].Get().(*flate.Writer); ok {
		w.Reset(to)
		return w
	}
	w, err := flate.NewWriter(to, level)
	if err != nil {
		panic(err) // a level that there is not
	}
	return w
}

func (p *pools) put(level int, w *flate.Writer) { p[level-flate.HuffmanOnly].Put(w) }

// deflated compresses a message by itself.
func deflated(level int, parts ...[]byte) []byte {
	return (&deflater{level: level}).deflate(parts...)
}

// newDeflater returns what compresses as was agreed. The standard library knows one size of window: for a smaller one
// no message refers to anything.
func (a agreement) newDeflater() *deflater {
	if a.clientBits < 15 {
		return &deflater{level: flate.HuffmanOnly}
	}
	return &deflater{takeover: !a.clientNoTakeover, level: flate.DefaultCompression}
}
