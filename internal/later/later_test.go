package later_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fiberwsx/wsx/internal/later"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// calls are what a queue has called its function for, and when.
type calls struct {
	mu    sync.Mutex
	start time.Time
	all   []call
}

type call struct {
	v  string
	at time.Duration
}

func (c *calls) note(v string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, call{v, time.Since(c.start)})
}

func (c *calls) expect(t *testing.T, want ...call) {
	t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !slices.Equal(c.all, want) {
		t.Errorf("called for %v, want %v", c.all, want)
	}
}

func TestOneTurnForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{start: time.Now()}
		q := later.New(100*time.Millisecond, c.note)
		q.Add("a")
		time.Sleep(60 * time.Millisecond)
		q.Add("b")
		time.Sleep(39 * time.Millisecond)
		c.expect(t)
		time.Sleep(time.Millisecond)
		first := []call{{"a", 100 * time.Millisecond}, {"b", 100 * time.Millisecond}}
		c.expect(t, first...)
		time.Sleep(time.Hour)
		q.Add("a")
		time.Sleep(time.Hour)
		c.expect(t, append(first, call{"a", time.Hour + 200*time.Millisecond})...)
	})
}

func TestAddedDuringATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &calls{start: time.Now()}
		var q *later.Queue[string]
		q = later.New(time.Millisecond, func(v string) {
			c.note(v)
			if len(v) < 3 {
				q.Add(v + "a")
			}
		})
		q.Add("a")
		time.Sleep(time.Second)
		c.expect(t, call{"a", time.Millisecond}, call{"aa", 2 * time.Millisecond}, call{"aaa", 3 * time.Millisecond})
	})
}

func TestStop(t *testing.T) {
	for name, during := range map[string]bool{"before a turn": false, "during a turn": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &calls{start: time.Now()}
				q := later.New(10*time.Millisecond, func(v string) {
					c.note(v)
					time.Sleep(10 * time.Millisecond)
				})
				q.Add("a")
				var want []call
				if during {
					time.Sleep(15 * time.Millisecond)
					want = append(want, call{"a", 10 * time.Millisecond})
					q.Add("b")
				}
				q.Stop()
				q.Add("c")
				time.Sleep(time.Second)
				c.expect(t, want...)
			})
		})
	}
}
