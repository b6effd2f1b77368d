package hub_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// store is an OnBatch that keeps copies. before, if set, decides the result.
type store struct {
	start  time.Time
	before func(ctx context.Context, b *hub.Batch) error

	mu      sync.Mutex
	batches []stored
}

type stored struct {
	at      time.Duration
	attempt int
	items   []string // "subject:payload"
}

func newStore(before func(ctx context.Context, b *hub.Batch) error) *store {
	return &store{start: time.Now(), before: before}
}

func (s *store) handle(ctx context.Context, b *hub.Batch) error {
	if s.before != nil {
		if err := s.before(ctx, b); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, stored{at: time.Since(s.start), attempt: b.Attempt(), items: items(b)})
	return nil
}

func items(b *hub.Batch) (all []string) {
	for _, it := range b.All() {
		all = append(all, it.Conn.Subject()+":"+it.Message.Text())
	}
	return all
}

func (s *store) all() []stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.batches)
}

// each returns all items in the order in which they were stored.
func (s *store) each() (items []string) {
	for _, b := range s.all() {
		items = append(items, b.items...)
	}
	return items
}

// String lists the batches with their times.
func (s *store) String() string {
	var b strings.Builder
	for i, x := range s.all() {
		if i > 0 {
			b.WriteString(" | ")
		}
		fmt.Fprintf(&b, "%v %s", x.at, strings.Join(x.items, " "))
	}
	return b.String()
}

// of returns what one subject sent, in the order stored.
func (s *store) of(subject string) (payloads []string) {
	for _, x := range s.all() {
		for _, it := range x.items {
			if p, ok := strings.CutPrefix(it, subject+":"); ok {
				payloads = append(payloads, p)
			}
		}
	}
	return payloads
}

// oneLane makes all connections share their batches.
func oneLane(cfg batch.Config) batch.Config {
	cfg.Lanes = 1
	return cfg
}

// TestBatchTriggers hands over by count, bytes and age; the age counts from the first message.
func TestBatchTriggers(t *testing.T) {
	for name, row := range map[string]struct {
		cfg  batch.Config
		want string
	}{
		"count": {batch.Config{MaxItems: 2}, "0s a:00 a:01 | 300ms a:02 a:03 | 700ms a:04"},
		"bytes": {batch.Config{MaxBytes: 4}, "0s a:00 a:01 | 300ms a:02 a:03 | 700ms a:04"},
		"age":   {batch.Config{MaxAge: 250 * time.Millisecond}, "250ms a:00 a:01 | 550ms a:02 a:03 | 850ms a:04"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := newStore(nil)
				h := newHub(t, hub.Config{OnBatch: st.handle, Batch: row.cfg})
				s := connectAs(t, h, "a")
				s.SendText("00")
				s.SendText("01")
				time.Sleep(300 * time.Millisecond)
				s.SendText("02")
				s.SendText("03")
				time.Sleep(300 * time.Millisecond)
				s.SendText("04")
				time.Sleep(time.Second)
				want(t, "batches", st.String(), row.want)
			})
		})
	}
}

// TestBatchContents checks what a handler sees of a batch.
func TestBatchContents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept list[hub.Message]
		h := newHub(t, hub.Config{Immutable: true, Batch: batch.Config{MaxItems: 2},
			OnBatch: func(_ context.Context, b *hub.Batch) error {
				if len(kept.all()) > 0 {
					return nil // only the first one is looked at
				}
				want(t, "messages", b.Len(), 2)
				want(t, "bytes", b.Bytes(), 5)
				want(t, "attempt", b.Attempt(), 1)
				for i, it := range b.All() {
					want(t, "subject", it.Conn.Subject(), "a")
					want(t, "age", time.Since(it.At), time.Duration(60-60*i)*time.Millisecond)
					kept.add(it.Message)
				}
				for range b.All() {
					break // leaves the loop early
				}
				return nil
			}})
		s := connectAs(t, h, "a")
		s.SendText("one")
		time.Sleep(60 * time.Millisecond)
		s.Send(hub.Message{Type: ws.Binary, Data: []byte{0xff, 0}})
		synctest.Wait()
		for range 100 {
			s.SendText("other")
		}
		time.Sleep(time.Second)
		got := kept.all()
		want(t, "messages seen", len(got), 2)
		want(t, "type", got[0].Type, ws.Text)
		want(t, "payload", got[0].Text(), "one")
		want(t, "type", got[1].Type, ws.Binary)
		want(t, "payload", got[1].Text(), "\xff\x00")
		want(t, "accepted", h.Stats().BatchAccepted, 102)
	})
}

// TestBatchDefaults checks the defaults of both kinds.
func TestBatchDefaults(t *testing.T) {
	for _, row := range []struct {
		per   hub.BatchPer
		items int
	}{{hub.Shared, 500}, {hub.PerConn, 50}} {
		synctest.Test(t, func(t *testing.T) {
			st := newStore(nil)
			h := newHub(t, hub.Config{OnBatch: st.handle, BatchPer: row.per})
			s := connectAs(t, h, "a")
			for range row.items + 1 {
				must(t, s.Frame(true, wireText, nil))
			}
			time.Sleep(time.Second)
			got := st.all()
			if len(got) != 2 || len(got[0].items) != row.items || got[0].at != 0 || got[1].at != 100*time.Millisecond {
				t.Errorf("%d batches, the first of %d after %v", len(got), len(got[0].items), got[0].at)
			}
		})
	}
}

// TestSharedAndPerConn sends alternately from two connections.
func TestSharedAndPerConn(t *testing.T) {
	for per, wanted := range map[hub.BatchPer]string{
		hub.Shared:  "0s a:0 b:0 a:1 b:1",
		hub.PerConn: "100ms a:0 a:1 | 100ms b:0 b:1",
	} {
		synctest.Test(t, func(t *testing.T) {
			st := newStore(nil)
			h := newHub(t, hub.Config{OnBatch: st.handle, BatchPer: per, Batch: oneLane(batch.Config{MaxItems: 4})})
			a, b := connectAs(t, h, "a"), connectAs(t, h, "b")
			for i := range 2 {
				for _, s := range []*session{a, b} {
					s.SendText(fmt.Sprint(i))
					s.sync()
				}
			}
			time.Sleep(time.Second)
			got := strings.Split(st.String(), " | ")
			slices.Sort(got)
			want(t, "batches", strings.Join(got, " | "), wanted)
		})
	}
}

// TestBatchTail ends connections with a batch that is not full: it is handled all the same, with PerConn at once, which
// is when nothing more can come. The handle in it is stale by then, and harmless.
func TestBatchTail(t *testing.T) {
	for per, wanted := range map[hub.BatchPer]string{hub.Shared: "1m0s a:0 a:1", hub.PerConn: "1s a:0 a:1"} {
		for name, end := range map[string]func(s *session){
			"close":  func(s *session) { s.Client.Close() },
			"vanish": func(s *session) { _ = s.Conn().Close() },
			"protocol": func(s *session) {
				go func() { _ = s.Raw([]byte{0xff, 0xff}) }()
				s.wantClose(ws.StatusProtocolError)
				_ = s.Conn().Close()
			},
			"protocol, and stays": func(s *session) {
				go func() { _ = s.Raw([]byte{0xff, 0xff}) }()
				s.wantClose(ws.StatusProtocolError)
			},
		} {
			wanted := wanted
			if name == "protocol, and stays" && per == hub.PerConn {
				wanted = "1.05s a:0 a:1"
			}
			t.Run(fmt.Sprint(name, per), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var answers list[error]
					st := newStore(func(_ context.Context, b *hub.Batch) error {
						for _, it := range b.All() {
							answers.add(it.Conn.SendText("stored"))
						}
						return nil
					})
					h := newHub(t, hub.Config{OnBatch: st.handle, BatchPer: per, Batch: batch.Config{MaxAge: time.Minute}})
					s := connectAs(t, h, "a")
					s.SendText("0")
					s.SendText("1")
					s.sync()
					time.Sleep(time.Second)
					end(s)
					<-s.over
					time.Sleep(2 * time.Minute)
					want(t, "batches", st.String(), wanted)
					for _, err := range answers.all() {
						want(t, "answer through the stale handle", err, hub.ErrClosed)
					}
				})
			})
		}
	}
}

// TestAnswersFromTheBatch sends to the connections of a batch while they are open.
func TestAnswersFromTheBatch(t *testing.T) {
	h := newHub(t, hub.Config{
		Batch: batch.Config{MaxItems: 2, Lanes: 1},
		OnBatch: func(_ context.Context, b *hub.Batch) error {
			for _, it := range b.All() {
				if err := it.Conn.Send(it.Message); err != nil {
					t.Errorf("answering: %v", err)
				}
			}
			return nil
		},
	})
	a, b := connect(t, h), connect(t, h)
	a.SendText("from a")
	b.SendText("from b")
	want(t, "answer", a.ReadText(), "from a")
	want(t, "answer", b.ReadText(), "from b")
}

// TestGoexitBehindMessages: a callback that ends its goroutine loses nothing of what came in front of its frame.
func TestGoexitBehindMessages(t *testing.T) {
	var handled atomic.Int64
	h := newHub(t, hub.Config{
		OnBatch: func(_ context.Context, b *hub.Batch) error { handled.Add(int64(b.Len())); return nil },
		OnPing:  func(*hub.Conn, []byte) { runtime.Goexit() },
	})
	s := connect(t, h)
	frames := wsxtest.AppendFrame(nil, true, wire.OpBinary, []byte("one"))
	frames = wsxtest.AppendFrame(frames, true, wire.OpBinary, []byte("two"))
	must(t, s.Raw(wsxtest.AppendFrame(frames, true, wire.OpPing, nil)))
	await(t, s.over, "the end")
	must(t, h.Shutdown(context.Background()))
	want(t, "handled", handled.Load(), 2)
}
