package load

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// sleep sleeps in the kernel, so that no other thread of the client is needed to wake up.
func sleep(d time.Duration) {
	t := unix.NsecToTimespec(int64(d))
	_ = unix.Nanosleep(&t, nil)
}

// Idle turns for a while, answering pings and nothing else.
func (c *Client) Idle(d time.Duration) error { return c.turnFor(d, nothing) }

// Handshakes connects and hangs up for a while, one after the other.
func (c *Client) Handshakes(path string, l Load) (Result, error) {
	var total uint64
	one := func() error {
		fd, err := c.dial()
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		// With a reset no port stays taken.
		_ = unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		total++
		_, err = c.handshake(fd, path, "")
		return err
	}
	if err := repeat(l.Warmup, one); err != nil {
		return Result{}, err
	}
	s := begin(l.Meter, total)
	err := repeat(l.Measure, one)
	return s.end(total), err
}

// Farewell connects n times, and on each connection writes a message with the end of the stream right behind it, in one
// packet. It keeps its own end open until [Client.Hangup]: a reset, or an answer that nobody takes, would tell the
// server a second time that the connection is over.
func (c *Client) Farewell(path string, n, size int) error {
	frame := appendFrame(nil, opBinary, 0, size)
	for i := range n {
		fd, err := c.dial()
		if err != nil {
			return err
		}
		c.bare = append(c.bare, fd)
		if _, err := c.handshake(fd, path, ""); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_CORK, 1) // until the end
		if _, err := unix.Write(fd, frame); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if err := unix.Shutdown(fd, unix.SHUT_WR); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// Latency sends a message every gap, from each connection in turn, and returns how long their echoes take, in
// microseconds. The time counts from when the message was due, however late the client or the answers before it are.
func (c *Client) Latency(l Load, gap time.Duration) (*hdrhistogram.Histogram, error) {
	h := hdrhistogram.New(1, int64(patience/time.Microsecond), 3)
	began := time.Now()
	warm, end := began.Add(l.Warmup), began.Add(l.Warmup+l.Measure)
	base := c.all[0].received // as of all others
	onMessage := func(k *conn, p []byte) error {
		turn := (k.received-1-base)*uint64(len(c.all)) + uint64(k.index)
		if due := began.Add(time.Duration(turn) * gap); !due.Before(warm) {
			_ = h.RecordValue(max(1, time.Since(due).Microseconds()))
		}
		return sample(k, p, l.Size)
	}
	var frame []byte
	for i, next := 0, began; next.Before(end) || i%len(c.all) > 0; i, next = i+1, next.Add(gap) {
		for time.Now().Before(next) {
			if err := c.turn(0, onMessage); err != nil {
				return h, err
			}
		}
		k := c.all[i%len(c.all)]
		frame = appendFrame(frame[:0], opBinary, k.sent, l.Size)
		k.sent++
		if err := k.write(frame); err != nil {
			return h, err
		}
	}
	return h, c.finish(onMessage)
}

// ConnectMute opens a connection that never reads, with a receive buffer that is small.
func (c *Client) ConnectMute(path string) error {
	fd, err := c.dial()
	if err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4096)
	c.bare = append(c.bare, fd)
	_, err = c.handshake(fd, path, "")
	return err
}

// Crowd has the first connection send a message every gap, in bursts of 50, and returns how long each takes to reach
// each connection, in microseconds.
func (c *Client) Crowd(l Load, gap time.Duration) (*hdrhistogram.Histogram, error) {
	const burst = 50
	h := hdrhistogram.New(1, int64(patience/time.Microsecond), 3)
	var due time.Time
	var total, wanted uint64
	onMessage := func(k *conn, p []byte) error {
		total++
		_ = h.RecordValue(time.Since(due).Microseconds())
		return sample(k, p, l.Size)
	}
	var frames []byte
	for end := time.Now().Add(l.Measure); time.Now().Before(end); {
		frames = frames[:0]
		for range burst {
			frames = appendFrame(frames, opBinary, c.all[0].sent, l.Size)
			c.all[0].sent++
		}
		due = time.Now()
		wanted += burst * uint64(len(c.all))
		if err := c.all[0].write(frames); err != nil {
			return h, err
		}
		if err := c.until(func() bool { return total >= wanted }, onMessage); err != nil {
			return h, err
		}
		if err := c.turnUntil(due.Add(gap), onMessage); err != nil {
			return h, err
		}
	}
	return h, c.complete()
}

func (c *Client) sent() (n uint64) {
	for _, k := range c.all {
		n += k.sent
	}
	return n
}
