package hub_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// TestShutdownEndsTheLoop ends loops that receive, that have stopped receiving, and that write; what was read is there.
func TestShutdownEndsTheLoop(t *testing.T) {
	for name, loop := range map[string]func(c *hub.Conn, handled *atomic.Int64) error{
		"receives": func(c *hub.Conn, handled *atomic.Int64) error {
			for _, err := range c.Messages() {
				if err != nil {
					return err
				}
				handled.Add(1)
			}
			return nil
		},
		"has stopped receiving": func(c *hub.Conn, handled *atomic.Int64) error {
			<-c.Context().Done()
			for _, err := c.Receive(context.Background()); err == nil; _, err = c.Receive(context.Background()) {
				handled.Add(1)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var handled atomic.Int64
				h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error { return loop(c, &handled) }})
				s := connect(t, h)
				status := s.live()
				go func() {
					for s.Frame(true, wireText, []byte("x")) == nil {
						time.Sleep(time.Millisecond)
					}
				}()
				time.Sleep(time.Second)
				start := time.Now()
				must(t, h.Shutdown(context.Background()))
				if took := time.Since(start); took > time.Second {
					t.Errorf("the shutdown took %v", took)
				}
				want(t, "close frame", <-status, ws.StatusGoingAway)
				if handled.Load() < 16 {
					t.Errorf("%d messages were received", handled.Load())
				}
				time.Sleep(time.Second)
			})
		})
	}
}

// TestShutdownLeavesWhatWasRead lets a slow function receive all that one read has brought, though most of it is over
// what is read ahead.
func TestShutdownLeavesWhatWasRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 100
		var got []string
		h := newHub(t, hub.Config{OnConn: func(c *hub.Conn) error {
			<-c.Context().Done()
			for m, err := range c.Messages() {
				if err != nil {
					return err
				}
				time.Sleep(10 * time.Millisecond)
				got = append(got, m.Text())
			}
			return nil
		}})
		s := connect(t, h)
		var frames []byte
		for i := range n {
			frames = wsxtest.AppendFrame(frames, true, wireText, fmt.Append(nil, i))
		}
		must(t, s.Raw(frames))
		synctest.Wait()
		s.live()
		must(t, h.Shutdown(context.Background()))
		want(t, "received", len(got), n)
		want(t, "the last one", got[len(got)-1], fmt.Sprint(n-1))
	})
}
