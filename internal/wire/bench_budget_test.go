package wire

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkRelief is a look at who holds what, by which one of so many is closed.
func BenchmarkRelief(b *testing.B) {
	for _, n := range []int{500, 10_000} {
		b.Run(fmt.Sprint(n, " holders"), func(b *testing.B) {
			e := &Engine{takeTurn: func() {}}
			all := budget{most: 1, patience: time.Hour, close: func(*Conn) error { return nil }}
			old := time.Now().Add(-time.Minute)
			for i := range n {
				all.hold(&Conn{engine: e}, 0, smallShare+1+i, old, old.Add(time.Duration(i*7919%n)))
			}
			all.used.Store(1)
			b.ReportAllocs()
			for b.Loop() {
				all.closeWorst()
			}
		})
	}
}
