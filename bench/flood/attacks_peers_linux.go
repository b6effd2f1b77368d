package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// unreadPongs asks for answers that nobody reads, below the limit of control frames.
func unreadPongs(a *attacker) { neverRead(a, appendFrame(nil, finPing, make([]byte, 125)), 20_000) }

// unreadEchoes sends messages whose echoes nobody reads.
func unreadEchoes(a *attacker) { neverRead(a, appendFrame(nil, finBinary, make([]byte, 60<<10)), 1000) }

// neverRead writes frames on a thousand connections, so many a second in all, and reads nothing.
func neverRead(a *attacker, frame []byte, rate float64) {
	pace := a.pace(rate)
	a.stay(1000, func(int) {
		for !a.over() {
			p := a.dial("/echo", true)
			if p == nil {
				continue
			}
			a.hold(p.nc)
			var err error
			for err == nil && !a.over() {
				pace.wait(1)
				if _, err = p.nc.Write(frame); err == nil {
					a.frames.Add(1)
				}
			}
			if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				a.saw(told(err), 1)
			}
		}
	})
}

// deafRooms fills a room with connections that never read, and sends to it.
func deafRooms(a *attacker) {
	a.stay(500, func(int) {
		if p := a.dial("/broadcast", true); p != nil {
			a.hold(p.nc)
		}
	})
	pace := a.pace(20)
	pace.n.Store(int64(time.Since(a.began).Seconds() * pace.rate)) // not all at once, for the time that is gone
	frame := appendFrame(nil, finBinary, make([]byte, 8<<10))
	for !a.over() {
		if p := a.dial("/broadcast", false); p != nil {
			a.saw(a.pour(p, pace, 1, frame), 1)
		}
	}
}

// slowHandshakes sends requests byte by byte.
func slowHandshakes(a *attacker) {
	a.stay(1000, func(int) {
		nc, err := a.open(false)
		if err != nil {
			a.saw(told(err), 1)
			return
		}
		a.hold(nc)
		over := make(chan struct{})
		go func() { // the server says nothing, or that this took too long
			defer close(over)
			_, _ = io.Copy(io.Discard, nc)
		}()
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for _, b := range []byte(request("/echo", "Cookie: "+string(bytes.Repeat([]byte("x"), 3000))+"\r\n")) {
			_, _ = nc.Write([]byte{b})
			select {
			case <-over:
				a.saw("cut", 1)
				return
			case <-tick.C:
			}
			if a.over() {
				a.saw("left open", 1)
				return
			}
		}
	})
}

// vanishing goes away before the answer.
func vanishing(a *attacker) {
	a.again(64, 2000, func(int) {
		nc, err := a.open(false)
		if err != nil {
			a.saw(told(err), 1)
			return
		}
		_, _ = io.WriteString(nc, request("/echo"))
		reset(nc)
		a.saw("vanished", 1)
	})
}

// reconnects comes and goes.
func reconnects(a *attacker) {
	a.again(64, 2000, func(int) {
		p := a.dial("/echo", false)
		if p == nil {
			return
		}
		defer p.reset()
		_ = p.frame(finBinary, make([]byte, size))
		_ = p.nc.SetReadDeadline(a.until)
		if _, err := io.ReadFull(p.in, make([]byte, 2+size)); err == nil {
			a.saw("echo", 1)
		} else if !a.over() {
			a.saw(told(err), 1)
		}
	})
}

// spoofedKeys comes from a new address with every request; what is asked for is refused, so that the connection goes
// on.
func spoofedKeys(a *attacker) {
	const block = 25
	pace := a.pace(25_000)
	a.each(16, func(int) {
		for !a.over() {
			nc, err := a.open(false)
			if err != nil {
				a.saw(told(err), 1)
				continue
			}
			_ = nc.SetDeadline(a.until)
			for err == nil && !a.over() {
				err = spoof(a, nc, pace.wait(block), block)
			}
			if err != nil && !a.over() {
				a.saw(told(err), 1)
			}
			reset(nc)
		}
	})
}

// spoof sends so many requests from the addresses behind the first one, and reads the answers.
func spoof(a *attacker, nc net.Conn, first, n int) error {
	var b []byte
	for i := first; i < first+n; i++ {
		b = append(b, request("/gated", fmt.Sprintf("X-Forwarded-For: 10.%d.%d.%d\r\n", i>>16&0xFF, i>>8&0xFF, i&0xFF))...)
	}
	if _, err := nc.Write(b); err != nil {
		return err
	}
	a.requests.Add(int64(n))
	answers := make([]byte, 0, 16<<10)
	for {
		passed, limited := bytes.Count(answers, []byte("HTTP/1.1 403")), bytes.Count(answers, []byte("HTTP/1.1 429"))
		if passed+limited == n && bytes.HasSuffix(answers, []byte("}")) {
			a.saw("HTTP 403", passed)
			a.saw("HTTP 429", limited)
			return nil
		}
		if len(answers) == cap(answers) {
			return fmt.Errorf("got %.200q", answers)
		}
		m, err := nc.Read(answers[len(answers):cap(answers)])
		if err != nil {
			return err
		}
		answers = answers[:len(answers)+m]
	}
}

// descriptors takes all that the server has, and lets go at the end.
func descriptors(a *attacker) {
	a.each(1000, func(i int) {
		nc, err := a.open(false)
		if err != nil {
			a.saw(told(err), 1)
			return
		}
		a.hold(nc)
		a.saw("held", 1)
		if i%2 == 0 {
			_, _ = io.WriteString(nc, request("/echo"))
		}
	})
	<-time.After(time.Until(a.until))
}
