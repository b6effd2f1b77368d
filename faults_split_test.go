package wsx_test

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// speech is all that a client says, in a frame of every kind, and what it gets back.
type speech struct {
	frames  []byte
	replies []string
	places  map[string]place
}

// place is one in the frames.
type place struct {
	at      int64
	replies int // to what is whole before it
}

func newSpeech() speech {
	var s speech
	long := strings.Repeat("0123456789", 14) // whose length takes two bytes more
	s.frames = texts("one")
	s.frames = wsxtest.AppendFrame(s.frames, false, opText, []byte("two, "))
	between := int64(len(s.frames))
	s.frames = wsxtest.AppendFrame(s.frames, true, opPing, []byte("ping"))
	s.frames = wsxtest.AppendFrame(s.frames, true, 0, []byte("whole"))
	header := int64(len(s.frames)) + 3
	s.frames = wsxtest.AppendFrame(s.frames, true, wsxtest.Opcode(ws.Binary), []byte(long))
	s.frames = wsxtest.AppendFrame(s.frames, true, opText, nil)
	end := int64(len(s.frames))
	s.frames = append(s.frames, goodbye...)
	s.replies = []string{"one", "two, whole", long, ""}
	s.places = map[string]place{
		"before all":        {-1, 0},
		"between fragments": {between, 1},
		"in a header":       {header, 2},
		"in a payload":      {header + 50, 2},
		"between messages":  {end, 4},
		"in a close frame":  {end + 7, 4},
	}
	return s
}

// heard returns the messages that a client gets, and how that ends.
func heard(c *wsxtest.Client) (messages []string, err error) {
	for {
		m, err := c.Read()
		if err != nil {
			return messages, err
		}
		messages = append(messages, string(m.Data))
	}
}

// TestSplitAtEveryByte has the same frames come in two pieces, split at every byte: the replies are always the same.
func TestSplitAtEveryByte(t *testing.T) {
	t.Run("in memory", func(t *testing.T) {
		h := echoHub()
		testSplits(t, 0, func(f wsxtest.Faults) *wsxtest.Client { // here each piece is a read of its own
			client, server := net.Pipe()
			go func() { _ = h.Serve(server, hub.Request{}) }()
			return wsxtest.NewClient(t, wsxtest.Faulty(client, f))
		})
		awaitOver(t, h)
	})
	onEach(t, func(t *testing.T, on transport) {
		h := echoHub()
		address := on.serve(t, h)
		testSplits(t, 300*time.Microsecond, func(f wsxtest.Faults) *wsxtest.Client {
			return dialed(t, address, wsxtest.Options{Faults: []wsxtest.Faults{f}})
		})
		awaitOver(t, h)
	})
}

func testSplits(t *testing.T, apart time.Duration, connect func(wsxtest.Faults) *wsxtest.Client) {
	s := newSpeech()
	crowd(len(s.frames), 4, func(at int) { // from 0, which is in one piece
		c := connect(wsxtest.Faults{SplitAt: []int64{int64(at)}, Delay: apart})
		if c == nil {
			return
		}
		defer c.Conn().Close()
		written := make(chan error, 1)
		go func() { written <- c.Raw(s.frames) }()
		got, err := heard(c)
		if ws.StatusOf(err) != ws.StatusNormalClosure || !slices.Equal(got, s.replies) {
			t.Errorf("split at byte %d of %d: got %q, %v", at, len(s.frames), got, err)
		}
		if err := <-written; err != nil {
			t.Errorf("split at byte %d: %v", at, err)
		}
	})
}
