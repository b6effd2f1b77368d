package peer_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/bench/peers/internal/peer"
	"github.com/fiberwsx/wsx/wsxtest"
)

func TestBatchIsHandedOverByNumberAndByAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b peer.Batch
		before := peer.Handled.Load()
		expect := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			if got := peer.Handled.Load() - before; got != want {
				t.Errorf("%s: %d handled, want %d", when, got, want)
			}
		}
		for range 501 {
			b.Add([]byte("one"))
		}
		expect("at once", 500)
		time.Sleep(100 * time.Millisecond)
		expect("after 100 ms", 501)
		b.Take([]byte("another"))
		time.Sleep(99 * time.Millisecond)
		expect("99 ms after the next", 501)
		time.Sleep(time.Millisecond)
		expect("100 ms after the next", 502)
	})
}

func TestMembersComeAndGo(t *testing.T) {
	var s peer.Members[string]
	count := func() (n int) {
		s.Each(func(string) { n++ })
		return n
	}
	leave := s.Join("a")
	s.Join("b")
	if n := count(); n != 2 {
		t.Errorf("%d members, want 2", n)
	}
	leave()
	if n := count(); n != 1 {
		t.Errorf("%d members after one has left, want 1", n)
	}
}

func TestHeartbeat(t *testing.T) {
	*peer.PingInterval = time.Second
	defer func() { *peer.PingInterval = 0 }()
	synctest.Test(t, func(t *testing.T) {
		pings := 0
		stop := peer.Heartbeat(func() error { pings++; return nil })
		time.Sleep(3500 * time.Millisecond)
		stop()
		time.Sleep(time.Minute)
		if pings != 3 {
			t.Errorf("%d pings in three seconds and a half, want 3", pings)
		}
		failed := 0
		stop = peer.Heartbeat(func() error { failed++; return errors.New("gone") })
		time.Sleep(time.Minute)
		stop()
		if failed != 1 {
			t.Errorf("%d pings to a connection that is gone, want 1", failed)
		}
	})
}

func TestFramesOfEveryLength(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 31, 32, 33, 125, 126, 1<<16 - 1, 1 << 16, 1 << 20} {
		payload := bytes.Repeat([]byte("payload "), n/8+1)[:n]
		in := wsxtest.AppendFrame(nil, true, 2, payload)
		for _, part := range []int{0, 1, 5, len(in) - 1} {
			if f, err := peer.Next(in[:part]); f.Size != 0 || err != nil {
				t.Errorf("%d of %d bytes are taken for a frame: %+v, %v", part, len(in), f.Size, err)
			}
		}
		f, err := peer.Next(append(in, "next"...))
		if f.Size != len(in) || f.Op != 2 || err != nil {
			t.Fatalf("%d bytes: got opcode %d, %d of %d bytes, %v", n, f.Op, f.Size, len(in), err)
		}
		out := peer.AppendUnmasked([]byte("before"), 1, f)
		header := map[bool]int{n < 126: 2, n >= 126 && n < 1<<16: 4, n >= 1<<16: 10}[true]
		if !bytes.HasPrefix(out, []byte("before\x81")) || len(out) != 6+header+n || !bytes.Equal(out[6+header:], payload) {
			t.Errorf("%d bytes: %d come out, and a header of %q", n, len(out), out[:min(len(out), 16)])
		}
	}
}

func TestLengthsThatNoServerTakes(t *testing.T) {
	for _, n := range []uint64{peer.MaxMessage + 1, 1 << 63, 1<<64 - 1} {
		b := append(binary.BigEndian.AppendUint64([]byte{0x82, 0xff}, n), "keyyy"...)
		if _, err := peer.Next(b); err == nil {
			t.Errorf("a length of %d is taken", n)
		}
	}
}
