package deflate_test

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fiberwsx/wsx/internal/deflate"
)

// output gathers what is inflated, up to a limit.
type output struct {
	bytes.Buffer
	limit int // 0: none
}

var errLong = errors.New("too long")

func (o *output) Write(p []byte) (int, error) {
	if o.limit > 0 && o.Len()+len(p) > o.limit {
		return 0, errLong
	}
	return o.Buffer.Write(p)
}

func inflate(s *deflate.Session, message []byte) ([]byte, error) {
	var o output
	err := s.Inflate(&o, append(slices.Clone(message), deflate.Tail...))
	return o.Bytes(), err
}

// standard inflates a message with the standard library, which knows the window behind it.
func standard(window, message []byte) (all []byte, err error) {
	src := bytes.NewReader(append(slices.Clone(message), deflate.Tail...))
	for streams := 0; src.Len() > 0; streams++ {
		if streams > 0 && src.Len() == len(deflate.Tail) { // its last block was final
			break
		}
		if streams == deflate.MaxFinal {
			return all, errLong
		}
		one, err := io.ReadAll(flate.NewReaderDict(src, append(slices.Clone(window), all...)))
		all = append(all, one...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// TestExamples: RFC 7692, sections 7.2.3.1 to 7.2.3.6.
func TestExamples(t *testing.T) {
	for name, row := range map[string]struct {
		messages []string
		want     []string
	}{
		"one block":          {[]string{"\xf2\x48\xcd\xc9\xc9\x07\x00"}, []string{"Hello"}},
		"context takeover":   {[]string{"\xf2\x48\xcd\xc9\xc9\x07\x00", "\xf2\x00\x11\x00\x00"}, []string{"Hello", "Hello"}},
		"no compression":     {[]string{"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"}, []string{"Hello"}},
		"final block":        {[]string{"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"}, []string{"Hello"}},
		"final block, bare":  {[]string{"\xf3\x48\xcd\xc9\xc9\x07\x00"}, []string{"Hello"}},
		"two blocks":         {[]string{"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"}, []string{"Hello"}},
		"empty":              {[]string{"\x00", ""}, []string{"", ""}},
		"two final blocks":   {[]string{"\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00"}, []string{"HelloHello"}},
		"back over a final":  {[]string{"\xf3\x48\xcd\xc9\xc9\x07\x00\xf2\x00\x11\x00\x00"}, []string{"HelloHello"}},
		"after final blocks": {[]string{"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", "\xf2\x00\x11\x00\x00"}, []string{"Hello", "Hello"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := deflate.NewSession(deflate.Params{ClientTakeover: true, ClientBits: 15, ServerBits: 15})
			for i, m := range row.messages {
				if got, err := inflate(s, []byte(m)); err != nil || string(got) != row.want[i] {
					t.Errorf("message %d: got %q, %v, want %q", i, got, err, row.want[i])
				}
			}
		})
	}
}

func TestCorrupt(t *testing.T) {
	hello := "\xf2\x48\xcd\xc9\xc9\x07\x00"
	for name, message := range map[string]string{
		"reserved block type":  "\x06",
		"cut off":              hello[:4],
		"too far back":         "\xf2\x00\x11\x00\x00",
		"lengths disagree":     "\x00\x05\x00\xfa\xfeHello\x00",
		"stored, cut off":      "\x00\x50\x00\xaf\xffHello",
		"garbage":              "\xff\xff\xff\xff",
		"garbage after final":  "\xf3\x48\xcd\xc9\xc9\x07\x00garbage",
		"endless final blocks": strings.Repeat("\x03\x00", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			s := deflate.NewSession(deflate.Params{ServerBits: 15, ClientBits: 15})
			if got, err := inflate(s, []byte(message)); !errors.Is(err, deflate.ErrCorrupt) {
				t.Errorf("got %q, %v, want %v", got, err, deflate.ErrCorrupt)
			}
		})
	}
}

// TestNoTakeover: without it a message may not refer to the one before.
func TestNoTakeover(t *testing.T) {
	s := deflate.NewSession(deflate.Params{ServerBits: 15, ClientBits: 15})
	if _, err := inflate(s, []byte("\xf2\x48\xcd\xc9\xc9\x07\x00")); err != nil {
		t.Fatal(err)
	}
	if got, err := inflate(s, []byte("\xf2\x00\x11\x00\x00")); !errors.Is(err, deflate.ErrCorrupt) {
		t.Errorf("got %q, %v, want %v", got, err, deflate.ErrCorrupt)
	}
}

// TestTakeoverAtHighLevels: what a compressor refers to does not go out again, also where a block does not become
// smaller.
func TestTakeoverAtHighLevels(t *testing.T) {
	first := bytes.Repeat([]byte("s"), 20)
	second := make([]byte, 133_000) // a block that does not become smaller, then one that does
	r := rand.New(rand.NewPCG(1, 2))
	for i := range second[:33_000] {
		second[i] = byte(r.Int())
	}
	for level := 1; level <= 9; level++ {
		c := deflate.NewCompressor(level)
		s := deflate.NewSession(deflate.Params{ServerTakeover: true, ServerBits: 15, ClientBits: 15})
		client := deflate.NewSession(deflate.Params{ClientTakeover: true, ServerBits: 15, ClientBits: 15})
		for _, m := range [][]byte{first, second, first} {
			packed := s.Deflate(c, nil, m)
			s.Sent(m)
			if got, err := inflate(client, packed); err != nil || !bytes.Equal(got, m) {
				t.Errorf("level %d: got %d bytes, %v, want %d", level, len(got), err, len(m))
			}
		}
	}
}

// TestBomb: inflating ends with the first piece that is too much.
func TestBomb(t *testing.T) {
	c := deflate.NewCompressor(1)
	bomb := c.Append(nil, make([]byte, 8<<20), nil, 15)
	s := deflate.NewSession(deflate.Params{ServerBits: 15, ClientBits: 15})
	o := output{limit: 64 << 10}
	if err := s.Inflate(&o, append(bomb, deflate.Tail...)); !errors.Is(err, errLong) {
		t.Errorf("got %v, want %v", err, errLong)
	}
	if o.Len() > o.limit {
		t.Errorf("%d bytes got through, over %d", o.Len(), o.limit)
	}
}

// messages returns what devices and chats send: short, long, alike, random, empty.
func messages(r *rand.Rand, n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		switch r.IntN(5) {
		case 0:
			list[i] = bytes.Repeat([]byte(fmt.Sprintf(`{"type":"reading","device":"dev%d","value":%d}`, i, r.Int())), r.IntN(50))
		case 1:
			list[i] = make([]byte, r.IntN(50_000))
		case 2:
			list[i] = make([]byte, r.IntN(50_000))
			for j := range list[i] {
				list[i][j] = byte(r.Int())
			}
		case 3:
			list[i] = fmt.Appendf(nil, `{"type":"reading","device":"dev%d"}`, i)
		}
	}
	return list
}

// TestRoundTrip: what a session deflates, the standard library and another session inflate, in every mode.
func TestRoundTrip(t *testing.T) {
	for _, level := range []int{1, 6, 9} {
		for _, bits := range []int{8, 9, 12, 15} {
			for _, takeover := range []bool{false, true} {
				t.Run(fmt.Sprintf("level %d, %d bits, takeover %t", level, bits, takeover), func(t *testing.T) {
					t.Parallel()
					roundTrip(t, level, bits, takeover)
				})
			}
		}
	}
}

func roundTrip(t *testing.T, level, bits int, takeover bool) {
	c := deflate.NewCompressor(level)
	server := deflate.NewSession(deflate.Params{ServerTakeover: takeover, ServerBits: bits, ClientBits: 15})
	client := deflate.NewSession(deflate.Params{ClientTakeover: takeover, ServerBits: 15, ClientBits: bits})
	var window []byte
	for i, m := range messages(rand.New(rand.NewPCG(1, uint64(bits))), 12) {
		packed := server.Deflate(c, nil, m)
		if i%4 == 3 { // not sent in the end
			continue
		}
		server.Sent(m)
		if got, err := standard(window, packed); err != nil || !bytes.Equal(got, m) {
			t.Fatalf("message %d: the standard library makes %d bytes of %d, %v", i, len(got), len(m), err)
		}
		if got, err := inflate(client, packed); err != nil || !bytes.Equal(got, m) {
			t.Fatalf("message %d: got %d bytes of %d, %v", i, len(got), len(m), err)
		}
		if takeover {
			window = append(window, m...)
			window = window[max(0, len(window)-1<<bits):]
		}
	}
}

// TestWindow: nothing refers further back than the window is long.
func TestWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for bits := 8; bits < 15; bits++ {
		noise := make([]byte, 1<<bits+64)
		for i := range noise {
			noise[i] = byte(r.Int())
		}
		twice := append(slices.Clone(noise), noise...)
		c := deflate.NewCompressor(9)
		if got := len(c.Append(nil, twice, nil, bits)); got < len(twice) {
			t.Errorf("%d bits: %d bytes become %d, so the second half refers to the first", bits, len(twice), got)
		}
		if got := len(c.Append(nil, twice, nil, 15)); got > len(twice)*2/3 {
			t.Errorf("15 bits: %d bytes become %d, so nothing refers to anything", len(twice), got)
		}
	}
}

// TestTakeoverPays: messages that resemble each other become much smaller.
func TestTakeoverPays(t *testing.T) {
	size := func(takeover bool) (n int) {
		c := deflate.NewCompressor(1)
		s := deflate.NewSession(deflate.Params{ServerTakeover: takeover, ServerBits: 12, ClientBits: 15})
		for i := range 20 {
			m := fmt.Appendf(nil, `{"type":"reading","device":"5d2f8a","sensors":{"temperature":%d,"humidity":%d,"pressure":%d,"battery":%d},"firmware":"1.2.3-rc4"}`, i, i*7, i*11, i*13)
			n += len(s.Deflate(c, nil, m))
			s.Sent(m)
		}
		return n
	}
	if with, without := size(true), size(false); with > without/2 {
		t.Errorf("%d bytes with context takeover, %d without", with, without)
	}
}

// TestManyAtOnce: a compressor belongs to nobody.
func TestManyAtOnce(t *testing.T) {
	c := deflate.NewCompressor(1)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			s := deflate.NewSession(deflate.Params{ServerTakeover: true, ServerBits: 10 + g%3, ClientBits: 15})
			client := deflate.NewSession(deflate.Params{ClientTakeover: true, ServerBits: 15, ClientBits: 10 + g%3})
			for i, m := range messages(rand.New(rand.NewPCG(3, uint64(g))), 20) {
				packed := s.Deflate(c, nil, m)
				s.Sent(m)
				if got, err := inflate(client, packed); err != nil || !bytes.Equal(got, m) {
					t.Errorf("message %d of %d: %v", i, g, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestForgetMeanwhile: without context takeover whoever sends need not know that the connection ends; the race detector
// looks on.
func TestForgetMeanwhile(t *testing.T) {
	c := deflate.NewCompressor(1)
	s := deflate.NewSession(deflate.Params{ClientTakeover: true, ServerBits: 15, ClientBits: 15})
	payload := bytes.Repeat([]byte("Hello"), 100)
	var sending sync.WaitGroup
	sending.Go(func() {
		packed := s.Deflate(c, nil, payload)
		s.Sent(payload)
		if got, err := standard(nil, packed); err != nil || !bytes.Equal(got, payload) {
			t.Errorf("got %q, %v", got, err)
		}
	})
	s.Forget()
	sending.Wait()
}
