package wsx_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// halves is a connection of which one half can end.
type halves interface{ CloseWrite() error }

// lastWords is a way in which a client's last message and the end of its stream come together.
type lastWords struct {
	packet   []byte // behind the handshake
	fin      bool   // and nothing more
	busy     bool   // has had a message and its reply before, so that it does not wait as one that has just come
	write    []byte // later
	end      func(nc net.Conn) error
	gone     bool // so that it hears nothing
	replies  []string
	messages int       // received of each client
	status   ws.Status // that OnClose gets
}

var goodbye = wsxtest.AppendFrame(nil, true, opClose, []byte{3, 232})

// oneFrame can be cut in two.
var oneFrame = texts("a")

func closeWrite(nc net.Conn) error { return nc.(halves).CloseWrite() }

// allLastWords are the rows of [TestMessageAndEndTogether].
var allLastWords = map[string]lastWords{
	"message, FIN": {
		write: texts("a"), end: closeWrite,
		replies: []string{"a"}, messages: 1, status: ws.StatusAbnormalClosure,
	},
	"messages, FIN": {
		write: texts("a", "b", "c"), end: closeWrite,
		replies: []string{"a", "b", "c"}, messages: 3, status: ws.StatusAbnormalClosure,
	},
	"message, all closed": {
		write: texts("a"), end: net.Conn.Close, gone: true,
		messages: 1, status: ws.StatusAbnormalClosure,
	},
	"message and a half, FIN": {
		write: texts("a", "b")[:9], end: closeWrite,
		replies: []string{"a"}, messages: 1, status: ws.StatusAbnormalClosure,
	},
	"message, close frame, FIN": {
		write: append(texts("a"), goodbye...), end: closeWrite,
		replies: []string{"a"}, messages: 1, status: ws.StatusNormalClosure,
	},
	"FIN": {end: closeWrite, status: ws.StatusAbnormalClosure},
	"handshake with a message, later FIN": {
		packet: texts("a"), end: closeWrite,
		replies: []string{"a"}, messages: 1, status: ws.StatusAbnormalClosure,
	},
	"handshake with a half, later the rest, FIN": {
		packet: oneFrame[:4], write: oneFrame[4:], end: closeWrite,
		replies: []string{"a"}, messages: 1, status: ws.StatusAbnormalClosure,
	},
	"handshake, FIN": {fin: true, status: ws.StatusAbnormalClosure},
	"handshake with a message, FIN": {
		packet: texts("a"), fin: true,
		replies: []string{"a"}, messages: 1, status: ws.StatusAbnormalClosure,
	},
	"handshake with messages and a close frame, FIN": {
		packet: append(texts("a", "b"), goodbye...), fin: true,
		replies: []string{"a", "b"}, messages: 2, status: ws.StatusNormalClosure,
	},
}

// say does to a server what the row says, and returns how many of the replies came, in order.
func (w lastWords) say(t *testing.T, address string) (replies int, err error) {
	c := dialed(t, address, inOnePacket(address, w.packet, w.fin))
	if c == nil {
		return 0, nil
	}
	defer c.Conn().Close()
	nc := c.Conn().(*parcel).Conn // the socket itself
	if w.busy {
		_ = c.Frame(true, opText, []byte("hello"))
		if m, err := c.Read(); err != nil || string(m.Data) != "hello" {
			return 0, fmt.Errorf("got %q, %w, want the first message back", m.Data, err)
		}
	}
	if len(w.write) > 0 {
		if _, err := nc.Write(w.write); err != nil {
			return 0, err
		}
	}
	if w.end != nil {
		if err := w.end(nc); err != nil || w.gone {
			return 0, err
		}
	}
	for ; ; replies++ {
		m, err := c.Read()
		switch {
		case w.status == ws.StatusAbnormalClosure && errors.Is(err, io.EOF), w.status == ws.StatusOf(err):
			return replies, nil
		case err != nil:
			return replies, fmt.Errorf("ended with %w, want %d", err, w.status)
		case replies == len(w.replies) || string(m.Data) != w.replies[replies]:
			return replies, fmt.Errorf("got %q for reply %d of %q", m.Data, replies, w.replies)
		}
	}
}

// TestMessageAndEndTogether has many clients whose last message and the end of the stream come in one packet or close
// to it: nothing of what they said is lost, and nothing of them stays.
func TestMessageAndEndTogether(t *testing.T) {
	for name, words := range allLastWords {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) { testLastWords(t, on, words) })
		})
		if words.fin || words.packet != nil {
			continue
		}
		words.busy = true
		words.messages++
		t.Run(name+", of a busy one", func(t *testing.T) {
			onEach(t, func(t *testing.T, on transport) { testLastWords(t, on, words) })
		})
	}
}

func testLastWords(t *testing.T, on transport, words lastWords) {
	clients := most(2000, 500)
	var closed, wrong, replies atomic.Int64
	h := echoHub(hub.Config{OnClose: func(_ *hub.Conn, err error) {
		closed.Add(1)
		if ws.StatusOf(err) != words.status {
			wrong.Add(1)
		}
	}})
	address := on.serve(t, h)
	say := func(int) {
		n, err := words.say(t, address)
		if err != nil {
			t.Error(err)
		}
		replies.Add(int64(n))
	}
	say(0) // starts what is started once
	awaitOver(t, h)
	before := takeBase()
	crowd(clients-1, 16, say)
	awaitOver(t, h)
	before.await(t)
	if n := closed.Load(); n != int64(clients) {
		t.Errorf("OnClose ran %d times for %d clients", n, clients)
	}
	if n := wrong.Load(); n > 0 {
		t.Errorf("OnClose got another status than %d %d times", words.status, n)
	}
	if got, want := h.Stats().MessagesIn, uint64(clients*words.messages); got != want {
		t.Errorf("%d messages received, want %d", got, want)
	}
	if got, want := int(replies.Load()), clients*len(words.replies); got != want { // to those who still listened
		t.Errorf("%d replies came of %d, %d are unsent", got, want, h.Stats().Unsent)
	}
}
