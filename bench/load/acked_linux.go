package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

const ackProtocol = "wsx.ack.v1"

// acks is what a connection knows of what the server has taken.
type acks struct {
	window      uint64 // of messages that may be under way
	windowBytes uint64
	sent, acked uint64 // the largest numbers
}

// told handles what a server says in wsx.ack.v1.
func (a *acks) told(p []byte) error {
	if number, ok := bytes.CutPrefix(p, []byte(`{"wsx":"ack","seq":`)); ok {
		n, err := strconv.ParseUint(string(bytes.TrimSuffix(number, []byte("}"))), 10, 64)
		if err != nil || n <= a.acked || n > a.sent {
			return fmt.Errorf("%q after an ack for %d of %d messages", p, a.acked, a.sent)
		}
		a.acked = n
		return nil
	}
	var hello struct {
		WSX         string `json:"wsx"`
		Next        uint64 `json:"next"`
		Window      uint64 `json:"window"`
		WindowBytes uint64 `json:"window_bytes"`
	}
	if err := json.Unmarshal(p, &hello); err != nil || hello.WSX != "hello" || a.window > 0 {
		return fmt.Errorf("the server says %q", p)
	}
	a.window, a.windowBytes = max(hello.Window, 1), max(hello.WindowBytes, 1)
	a.sent, a.acked = hello.Next-1, hello.Next-1
	return nil
}

// room returns how many more messages of that size may be sent.
func (a *acks) room(size int) uint64 {
	return min(a.window, a.windowBytes/uint64(size)) - (a.sent - a.acked)
}

// ConnectAcked is [Client.Connect] for connections that ask for acknowledgements, and have been greeted.
func (c *Client) ConnectAcked(path string, n int) error {
	for range n {
		if err := c.connect(path, ackProtocol); err != nil {
			return fmt.Errorf("connection %d: %w", len(c.all), err)
		}
	}
	return c.until(func() bool {
		for _, k := range c.all {
			if k.acks.window == 0 {
				return false
			}
		}
		return true
	}, nothing)
}

// StreamAcked writes as much as the windows of the connections allow, and counts what is acknowledged.
func (c *Client) StreamAcked(l Load) (Result, error) {
	var burst []byte
	count := uint64(max(1, (32<<10)/(l.Size+8)))
	for i := range count {
		burst = appendFrame(burst, opBinary, i, l.Size)
	}
	frame := len(burst) / int(count)
	pour := func(d time.Duration) error {
		for deadline := time.Now().Add(d); time.Now().Before(deadline); {
			wait := 10 * time.Millisecond
			for _, k := range c.all {
				n := min(count, k.acks.room(l.Size))
				if len(k.out) > 0 || n == 0 {
					continue
				}
				if err := k.write(burst[:int(n)*frame]); err != nil {
					return err
				}
				k.acks.sent += n
				wait = 0
			}
			if err := c.turn(wait, nothing); err != nil {
				return err
			}
		}
		return nil
	}
	if err := pour(l.Warmup); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, c.acked())
	if err := pour(l.Measure); err != nil {
		return Result{}, err
	}
	r := s.end(c.acked())
	return r, c.until(func() bool { return c.acked() == c.numbered() }, nothing)
}

func (c *Client) acked() (n uint64) {
	for _, k := range c.all {
		n += k.acks.acked
	}
	return n
}

func (c *Client) numbered() (n uint64) {
	for _, k := range c.all {
		n += k.acks.sent
	}
	return n
}
