package wsx_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// floods is how many goroutines flood a room.
const floods = 2

// marks are a number for each flood.
type marks [floods]int64

// flood is a room that is sent to all the time, and how far that has come.
type flood struct {
	hub     *hub.Hub
	begun   [floods]atomic.Int64 // the last message whose sending has begun
	done    [floods]atomic.Int64 // the last one whose sending has returned
	window  [floods]chan struct{}
	stop    chan struct{}
	senders sync.WaitGroup
}

func load(from *[floods]atomic.Int64) (m marks) {
	for i := range from {
		m[i] = from[i].Load()
	}
	return m
}

// send sends numbered messages from 1 on, until it is stopped. No more are under way than the window has room for.
func (f *flood) send(t *testing.T, flood int) {
	var to hub.Target
	for n := int64(1); ; n++ {
		select {
		case <-f.stop:
			return
		case f.window[flood] <- struct{}{}:
		}
		if n%10 == 0 { // by another way
			to = f.hub.To("room", "nobody's")
		} else {
			to = f.hub.To("room")
		}
		f.begun[flood].Store(n)
		if err := to.SendText(fmt.Sprintf("%d:%s", flood, numbered(int(n)))); err != nil {
			t.Errorf("message %d of flood %d: %v", n, flood, err)
		}
		f.done[flood].Store(n)
	}
}

// join joins the room and tells the client between which messages that was.
func (f *flood) join(c *hub.Conn) error {
	before := load(&f.done)
	if err := c.SendText(fmt.Sprint("joining ", before)); err != nil {
		return err
	}
	if err := c.Join("room"); err != nil {
		return err
	}
	return c.SendText(fmt.Sprint("joined ", load(&f.begun)))
}

// leave leaves the room and tells the client between which messages that was.
func (f *flood) leave(c *hub.Conn) error {
	before := load(&f.done)
	c.Leave("room")
	return c.SendText(fmt.Sprint("left ", before, " ", load(&f.begun)))
}

// handle does what the client asks for, in the handler or outside.
func (f *flood) handle(c *hub.Conn, m hub.Message) error {
	act := map[string]func(*hub.Conn) error{"join": f.join, "leave": f.leave}[m.Text()]
	if c.Query("act") != "outside" {
		return act(c)
	}
	go func() { _ = act(c) }() // its client waits for what it says
	return nil
}

// seat checks what one client hears of the floods.
type seat struct {
	in, joined  bool
	floor, ceil marks // of the messages that the joining came between
	last        marks // heard of each flood; 0: nothing since the joining
	heard       int   // since the joining
}

// hear takes the next message, and returns what is wrong with it.
func (s *seat) hear(text string) error {
	var before, after marks
	switch word, _, _ := strings.Cut(text, " "); word {
	case "joining":
		_, err := fmt.Sscanf(text, "joining [%d %d]", &before[0], &before[1])
		*s = seat{in: true, floor: before}
		return err
	case "joined":
		_, err := fmt.Sscanf(text, "joined [%d %d]", &s.ceil[0], &s.ceil[1])
		s.joined = true
		return err
	case "left":
		_, err := fmt.Sscanf(text, "left [%d %d] [%d %d]", &before[0], &before[1], &after[0], &after[1])
		if err != nil {
			return err
		}
		return s.left(before, after)
	default:
		return s.message(text)
	}
}

func (s *seat) message(text string) error {
	var of int
	var n int64
	if _, err := fmt.Sscanf(text, "%d:%d.", &of, &n); err != nil || text != fmt.Sprintf("%d:%s", of, numbered(int(n))) {
		return fmt.Errorf("got %q", text)
	}
	switch last := s.last[of]; {
	case !s.in:
		return fmt.Errorf("message %d of flood %d came to one that has left", n, of)
	case last == 0 && n <= s.floor[of]:
		return fmt.Errorf("message %d of flood %d was sent before the joining, at %d", n, of, s.floor[of])
	case last == 0 && s.joined && n > s.ceil[of]+1:
		return fmt.Errorf("the first message of flood %d is %d, the joining was at %d", of, n, s.ceil[of])
	case last != 0 && n != last+1:
		return fmt.Errorf("message %d of flood %d came behind %d", n, of, last)
	}
	s.last[of] = n
	s.heard++
	return nil
}

// left checks that all came that was sent before the leaving, and nothing that was sent after it.
func (s *seat) left(before, after marks) error {
	s.in = false
	for of, last := range s.last {
		if sent := before[of]; sent > max(last, s.ceil[of]) || last != 0 && sent > last {
			return fmt.Errorf("got flood %d up to message %d, had joined by %d and left after %d", of, last, s.ceil[of], sent)
		}
		if last > after[of] {
			return fmt.Errorf("got message %d of flood %d, left by %d", last, of, after[of])
		}
	}
	return nil
}

// listen reads until enough is there.
func (s *seat) listen(c *wsxtest.Client, enough func() bool) error {
	for !enough() {
		m, err := c.Read()
		if err != nil {
			return fmt.Errorf("after %d messages: %w", s.heard, err)
		}
		if err := s.hear(string(m.Data)); err != nil {
			return err
		}
	}
	return nil
}

// comeAndGo joins and leaves again and again.
func comeAndGo(c *wsxtest.Client, times int) error {
	var s seat
	for i := range times {
		c.SendText("join")
		if err := s.listen(c, func() bool { return s.joined && s.heard >= i%40 }); err != nil {
			return err
		}
		c.SendText("leave")
		if err := s.listen(c, func() bool { return !s.in }); err != nil {
			return err
		}
		s.joined = false
	}
	c.Close()
	return nil
}

// TestJoinersAndLeaversInAFlood has members come and go while a room is flooded: they get a part of the flood without a
// gap, nothing from before they joined, and from after they left nothing.
func TestJoinersAndLeaversInAFlood(t *testing.T) { onEach(t, testFlood) }

func testFlood(t *testing.T, on transport) {
	times := most(120, 40)
	f := &flood{stop: make(chan struct{})}
	for i := range f.window {
		f.window[i] = make(chan struct{}, 100)
	}
	conns := make(chan *hub.Conn, 1)
	cfg := patient(nil)
	cfg.OnMessage = f.handle
	cfg.OnOpen = func(c *hub.Conn) error {
		switch c.Query("act") {
		case "listen":
			defer func() { conns <- c }()
			return f.join(c)
		case "open":
			return f.join(c)
		default:
			return nil
		}
	}
	f.hub = echoHub(cfg)
	address := on.serve(t, f.hub)
	listener := wsxtest.Dial(t, address+"?act=listen")
	c := <-conns
	var listening, visiting sync.WaitGroup
	listening.Go(func() { f.listen(t, listener) })
	for i := range floods {
		f.senders.Go(func() { f.send(t, i) })
	}
	for i := range 9 {
		act := []string{"handler", "outside", "open"}[i%3]
		visiting.Go(func() {
			if err := visit(t, address+"?act="+act, times); err != nil {
				t.Errorf("one that joins in %s: %v", act, err)
			}
		})
	}
	visiting.Wait()
	close(f.stop)
	f.senders.Wait()
	if err := c.SendText("left " + strings.Repeat(fmt.Sprint(load(&f.done), " "), 2)); err != nil {
		t.Error(err)
	}
	listening.Wait()
	if !t.Failed() {
		awaitOver(t, f.hub)
	}
}

// visit joins and leaves on one connection, or on a new one each time.
func visit(t *testing.T, address string, times int) error {
	if !strings.HasSuffix(address, "open") {
		if c := dialed(t, address); c != nil {
			return comeAndGo(c, times)
		}
		return nil
	}
	for i := range times / 2 {
		c := dialed(t, address)
		if c == nil {
			return nil
		}
		var s seat
		if err := s.listen(c, func() bool { return s.joined && s.heard >= i%40 }); err != nil {
			return err
		}
		c.Reset()
	}
	return nil
}

// listen is the client that hears all of the floods, and lets them go on.
func (f *flood) listen(t *testing.T, c *wsxtest.Client) {
	s := seat{in: true}
	for s.in || s.heard == 0 {
		before := s.last
		if err := s.listen(c, func() bool { return !s.in || s.last != before }); err != nil {
			t.Errorf("the listener: %v", err)
			return
		}
		for i, n := range s.last {
			for range n - before[i] {
				<-f.window[i]
			}
		}
	}
	c.Close()
}
