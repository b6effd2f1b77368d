package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hear reads what has come for a client.
func (c *crowd) hear(m *member) {
	var b [4 << 10]byte
	n, oobn, _, _, err := unix.Recvmsg(m.fd, b[:], m.oob[:], unix.MSG_DONTWAIT)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return
	case err == nil && n == 0:
		err = io.EOF
	}
	if err != nil {
		c.fail(fmt.Errorf("a polite client: %w", err))
		_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, m.fd, nil)
		return
	}
	at := arrival(m.oob[:oobn])
	m.in = append(m.in, b[:n]...)
	for {
		used, err := c.frame(m, at)
		if err != nil {
			c.fail(err)
		}
		if used == 0 {
			return
		}
		m.in = append(m.in[:0], m.in[used:]...)
	}
}

// arrival returns when the kernel has got what was read: what comes later is the client's own delay.
func arrival(oob []byte) time.Time {
	for len(oob) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(oob)
		if err != nil {
			break
		}
		if h.Level == unix.SOL_SOCKET && h.Type == unix.SO_TIMESTAMPNS && len(data) >= int(unsafe.Sizeof(unix.Timespec{})) {
			ts := *(*unix.Timespec)(unsafe.Pointer(unsafe.SliceData(data))) //nolint:gosec // that is what it is
			return time.Unix(ts.Unix())
		}
		oob = rest
	}
	return time.Now()
}

// frame looks at the first frame that a client has got, and returns its length; 0 when it is not all there.
func (c *crowd) frame(m *member, at time.Time) (int, error) {
	if len(m.in) < 2 {
		return 0, nil
	}
	n := int(m.in[1] & 0x7F)
	if n > 125 {
		return 0, errors.New("a frame that nobody has sent")
	}
	if len(m.in) < 2+n {
		return 0, nil
	}
	payload := m.in[2 : 2+n]
	switch {
	case m.in[0] == finPing && n <= size:
		return 2 + n, m.frame(finPong, payload)
	case m.in[0] != finBinary || n != size:
		return 2 + n, fmt.Errorf("got % x", m.in[:2+n])
	}
	c.received++
	began := time.Unix(0, int64(binary.LittleEndian.Uint64(payload)))
	c.took = append(c.took, trip{at, max(1, at.Sub(began))})
	return 2 + n, nil
}
