package batch_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/fiberwsx/wsx/batch"
)

// TestUnavailableAmongPoison: a store that is away for a moment while poison is looked for is asked again, as often as
// for a whole batch.
func TestUnavailableAmongPoison(t *testing.T) {
	for _, row := range []struct{ away, stored, poison, lost int }{{1, 9, 1, 0}, {2, 9, 1, 0}, {3, 0, 0, 10}} {
		t.Run(fmt.Sprint(row.away), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const attempts = 3
				s, o := &store{poison: map[int]bool{7: true}}, new(outcome)
				s.failed = func(*batch.Batch[int]) error {
					if s.calls > attempts && s.calls <= attempts+row.away {
						return fmt.Errorf("insert: %w", batch.ErrUnavailable)
					}
					return nil
				}
				b := batch.NewWithHooks(batch.Config{MaxItems: 10, Attempts: attempts}, s.handle, o.hooks(false))
				fill(t, b, 10)
				if len(s.stored) != row.stored || !slices.IsSorted(s.stored) {
					t.Errorf("stored %v, want %d", s.stored, row.stored)
				}
				got := b.Stats()
				want := batch.Stats{
					Accepted: 10, Handled: uint64(row.stored), Rejected: uint64(row.poison), Abandoned: uint64(row.lost),
					Batches: got.Batches, Retries: got.Retries,
				}
				if got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				must(t, b.Close(context.Background()))
			})
		})
	}
}
