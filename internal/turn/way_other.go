//go:build !unix

package turn

import "time"

// way has no poller to wait for here: turns cost nothing and change nothing.
type way struct{}

func newWay() *way { return nil }

func (*way) wait(*Turns) (waited, computed time.Duration) { return 0, 0 }

func (*way) close() {}
