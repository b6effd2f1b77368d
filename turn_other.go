//go:build !unix

package wsx

// turn lets nobody go first here.
type turn struct{}

func newTurn() *turn { return nil }

func (*turn) wait() {}
