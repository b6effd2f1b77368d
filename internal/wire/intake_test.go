package wire_test

import (
	"bytes"
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// fills returns a message that fills the buffer of a reader that has waited.
func fills() []byte { return wsxtest.AppendFrame(nil, true, wire.OpBinary, make([]byte, 4<<10-8)) }

// strained are connections that share a budget of 100 KiB.
type strained struct {
	rigs  []*rig
	begun time.Time
	times []time.Duration // since then, after which the first of them had messages
}

func newStrained(t *testing.T, n int) *strained {
	cfg := limits()
	cfg.OutboxBudget, cfg.WriteDeadline = 100<<10, time.Minute
	s := &strained{}
	_, s.rigs = group(t, cfg, n)
	return s
}

// hold has messages wait for those from the first on: of 30,000 bytes each, which count for 32 KiB, or of 4,000.
func (s *strained) hold(t *testing.T, from int, bytes ...int) {
	t.Helper()
	for i, n := range bytes {
		must(t, s.rigs[from+i].Send(ws.Binary, pattern(n)))
	}
}

// timed has the times noted from now on.
func (s *strained) timed() {
	s.begun = time.Now()
	s.rigs[0].handler.onMessage = func(*wire.Conn, ws.MessageType, []byte) {
		s.times = append(s.times, time.Since(s.begun))
	}
}

func (s *strained) read(i int) { _, _ = s.rigs[i].client.Read() }

// little is what 30 receivers hold who use up the budget, and of whom none holds enough to be closed for it.
func little() []int { return slices.Repeat([]int{4000}, 30) }

// TestReadingOutlastsStrain: who sends much, when what waits for receivers is too much, is read when there is room for
// the answers again, or when it should be there.
func TestReadingOutlastsStrain(t *testing.T) {
	const ms = time.Millisecond
	for name, row := range map[string]struct {
		own    []int           // bytes that wait for the one who sends
		others []int           // and for others
		then   func(*strained) // after 100 ms
		sends  []byte
		after  []time.Duration // its messages were handled
	}{
		"its own is read":           {[]int{30_000}, []int{30_000, 30_000}, func(s *strained) { s.read(0) }, fills(), []time.Duration{100 * ms}},
		"that of others is read":    {[]int{30_000}, []int{30_000}, func(s *strained) { s.read(1) }, fills(), []time.Duration{100 * ms}},
		"it has little waiting":     {[]int{4000}, []int{30_000, 30_000}, nil, fills(), []time.Duration{0}},
		"the others are closed":     {nil, []int{30_000, 30_000, 30_000, 30_000}, nil, fills(), []time.Duration{50 * ms}},
		"its little is read":        {[]int{4000}, little(), func(s *strained) { s.read(0) }, fills(), []time.Duration{300 * ms}},
		"the others are not closed": {nil, little(), nil, slices.Concat(fills(), fills()), []time.Duration{300 * ms, 300 * ms}},
		"the others are read": {nil, little(), func(s *strained) {
			for i := range 10 {
				s.read(1 + i)
			}
		}, fills(), []time.Duration{100 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStrained(t, 1+len(row.others))
				s.hold(t, 1, row.others...)
				s.hold(t, 0, row.own...)
				s.timed()
				if row.then != nil {
					time.AfterFunc(100*ms, func() { row.then(s) })
				}
				must(t, s.rigs[0].client.Raw(row.sends))
				time.Sleep(time.Second)
				synctest.Wait()
				if !slices.Equal(s.times, row.after) {
					t.Errorf("messages were handled after %v, want %v", s.times, row.after)
				}
			})
		})
	}
}

// TestStrainIsOutlastedOnce: others may use up the budget for long. Who has waited for them once is not held up again
// with all that it sends, until there was room meanwhile.
func TestStrainIsOutlastedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrained(t, 31)
		s.hold(t, 1, little()...)
		s.timed()
		send := func(frame []byte) {
			s.begun = time.Now()
			must(t, s.rigs[0].client.Raw(frame))
			time.Sleep(5 * time.Second) // longer than it would not wait for others in any case
			synctest.Wait()
		}
		send(fills())
		send(text("it has a rest"))
		send(fills())
		for i := range 10 {
			s.read(1 + i)
		}
		synctest.Wait()
		s.hold(t, 1, little()[:10]...)
		send(text("it has a rest"))
		send(fills())
		const ms = time.Millisecond
		if want := []time.Duration{300 * ms, 0, 0, 0, 300 * ms}; !slices.Equal(s.times, want) {
			t.Errorf("messages were handled after %v, want %v", s.times, want)
		}
	})
}

// TestStrainThatComesAndGoes holds up who sends for a tenth of the time at most.
func TestStrainThatComesAndGoes(t *testing.T) {
	if part := heldUp(t, 30); part <= 0 || part > 0.1 {
		t.Errorf("it was held up for %.3f of the time", part)
	}
}

// TestOverflowThatComesAndGoes does so for half of the time.
func TestOverflowThatComesAndGoes(t *testing.T) {
	if part := heldUp(t, 35); part <= 0.1 || part > 0.5 {
		t.Errorf("it was held up for %.3f of the time", part)
	}
}

// heldUp returns for what part of the time one is held up that sends while so many hold little, of whom ten read it and
// get more ten times a second.
func heldUp(t *testing.T, n int) (part float64) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrained(t, 1+n)
		s.hold(t, 1, slices.Repeat([]int{4000}, n)...)
		var toggling sync.WaitGroup
		defer toggling.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		toggling.Go(func() {
			for ctx.Err() == nil {
				time.Sleep(100 * time.Millisecond)
				for i := range 10 {
					s.read(1 + i)
				}
				synctest.Wait()
				for i := range 10 {
					_ = s.rigs[1+i].Send(ws.Binary, pattern(4000))
				}
			}
		})
		handled := make(chan struct{})
		s.rigs[0].handler.onMessage = func(*wire.Conn, ws.MessageType, []byte) { handled <- struct{}{} }
		begun, waited := time.Now(), time.Duration(0)
		for ctx.Err() == nil {
			sent := time.Now()
			must(t, s.rigs[0].client.Raw(fills()))
			<-handled
			waited += time.Since(sent)
			time.Sleep(7 * time.Millisecond)
		}
		part = waited.Seconds() / time.Since(begun).Seconds()
	})
	return part
}

// TestOverflowIsOutlasted: who has just waited for others waits again when a quarter more than the budget is used, and
// has its rest afterwards.
func TestOverflowIsOutlasted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrained(t, 36)
		s.hold(t, 1, little()...)
		s.timed()
		const ms = time.Millisecond
		send := func(then func()) {
			s.begun = time.Now()
			must(t, s.rigs[0].client.Raw(fills()))
			time.Sleep(10 * ms)
			then()
			time.Sleep(500 * ms)
			synctest.Wait()
		}
		nothing := func() {}
		toggle := func() {
			for i := range 10 {
				s.read(1 + i)
			}
			synctest.Wait()
			s.hold(t, 1, little()[:10]...)
		}
		send(nothing)
		toggle()
		send(nothing)
		toggle()
		s.hold(t, 31, little()[:5]...)
		send(func() { // it has waited for a moment
			toggle()
			for i := range 5 {
				s.read(31 + i)
			}
		})
		send(nothing)
		toggle()
		s.hold(t, 31, little()[:5]...)
		send(nothing)
		if want := []time.Duration{300 * ms, 0, 10 * ms, 0, 300 * ms}; !slices.Equal(s.times, want) {
			t.Errorf("messages were handled after %v, want %v", s.times, want)
		}
	})
}

// TestWhatWasReadIsHandledInStrain: who has read much does not wait with all of it in hand.
func TestWhatWasReadIsHandledInStrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrained(t, 31)
		r := s.rigs[0]
		must(t, r.client.Raw(fills()))
		synctest.Wait() // in the next read, which takes 32 KiB
		s.hold(t, 1, little()...)
		s.timed()
		must(t, r.client.Raw(bytes.Repeat(fills(), 8)))
		time.Sleep(time.Second)
		synctest.Wait()
		if want := make([]time.Duration, 8); !slices.Equal(s.times, want) {
			t.Errorf("messages were handled after %v, want %v", s.times, want)
		}
	})
}

// TestLittleIsReadInStrain: it is not even looked at what waits for the one who sends.
func TestLittleIsReadInStrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrained(t, 31)
		s.hold(t, 1, little()...)
		begun := time.Now()
		must(t, s.rigs[0].client.Raw(text("hello")))
		_, err := s.rigs[0].client.Read()
		must(t, err)
		want(t, "time until the answer", time.Since(begun), 0)
	})
}

// TestCloseEndsTheWaitingInStrain: the peer's close frame is read at once.
func TestCloseEndsTheWaitingInStrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStrained(t, 31)
		s.hold(t, 1, little()...)
		begun, r := time.Now(), s.rigs[0]
		must(t, r.client.Raw(fills()))
		time.AfterFunc(100*time.Millisecond, func() { _ = r.Close(ws.StatusNormalClosure, "") })
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusNormalClosure)
		r.ended(t)
		want(t, "time until the end", time.Since(begun), 100*time.Millisecond)
	})
}

// measured notes how much is read at once.
type measured struct {
	net.Conn
	mu    sync.Mutex
	reads []int // KiB
}

func (m *measured) Read(p []byte) (int, error) {
	m.mu.Lock()
	m.reads = append(m.reads, len(p)>>10)
	m.mu.Unlock()
	return m.Conn.Read(p)
}

// TestReadsAreShortInStrain: much is read at once only while the outboxes have room for the answers.
func TestReadsAreShortInStrain(t *testing.T) {
	for name, kib := range map[string]int{"what fills a large buffer": 32, "records of TLS, which never do": 8} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { testShortReads(t, kib) })
		})
	}
}

func testShortReads(t *testing.T, kib int) {
	t.Helper()
	cfg := limits()
	cfg.OutboxBudget = 100 << 10
	e, rigs := group(t, cfg, 3)
	client, server := wsxtest.Pipe(t)
	m := &measured{Conn: server}
	startOn(t, client, m, e, &recorder{})
	send := func(kib int) {
		must(t, client.Raw(bytes.Repeat(fills(), kib/4)))
		synctest.Wait()
	}
	send(4)
	send(kib)
	for _, r := range rigs {
		must(t, r.Send(ws.Binary, pattern(30_000)))
	}
	send(kib)
	send(4)
	for _, r := range rigs {
		_, err := r.client.Read()
		must(t, err)
	}
	send(4)
	if want := []int{4, 32, 32, 4, 4, 32}; !slices.Equal(m.reads, want) {
		t.Errorf("reads of %v KiB, want %v", m.reads, want)
	}
}

// TestFewWaitForATurnWithSomethingInHand: many readers may wait for a turn, but not with much memory.
func TestFewWaitForATurnWithSomethingInHand(t *testing.T) {
	const many, few = 40, 32
	part := wsxtest.AppendFrame(nil, true, wire.OpBinary, make([]byte, 10_000))
	for name, row := range map[string]struct {
		sends [][]byte
		fast  int // messages that are handled in no time, before others
		wait  int
	}{
		"nothing":        {[][]byte{fills()}, 0, many},
		"a part":         {[][]byte{slices.Concat(text("hello"), part)[:4<<10]}, 0, few},
		"a large buffer": {[][]byte{fills(), slices.Concat(slices.Repeat([][]byte{fills()}, 8)...)}, 1, few},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := wire.NewEngine(limits())
				release, waiting := make(chan struct{}), 0
				var mu sync.Mutex
				wire.SetTurn(e, func() {
					mu.Lock()
					waiting++
					mu.Unlock()
					<-release
				})
				for range many {
					client, server := wsxtest.Pipe(t)
					handled := 0
					startOn(t, client, server, e, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
						if handled++; handled > row.fast {
							time.Sleep(time.Millisecond)
						}
					}})
					for _, p := range row.sends {
						must(t, client.Raw(p))
					}
				}
				time.Sleep(time.Second)
				synctest.Wait()
				want(t, "readers that wait for a turn", waiting, row.wait)
				close(release)
			})
		})
	}
}
