//go:build race

package batch_test

import (
	"context"
	"testing"

	"github.com/fiberwsx/wsx/batch"
)

// A handler that keeps memory finds it overwritten, in race builds.
func TestKeptMemoryIsPoisoned(t *testing.T) {
	var kept []byte
	b := batch.New(batch.Config{}, func(_ context.Context, b *batch.Batch[int]) error {
		kept = b.Payload(0)
		return nil
	})
	must(t, b.Lane(0).Add(t.Context(), 1, []byte("mine")))
	must(t, b.Close(t.Context()))
	if string(kept) != "\xDB\xDB\xDB\xDB" {
		t.Errorf("the payload still reads %q", kept)
	}
}
