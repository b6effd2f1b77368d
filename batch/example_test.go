package batch_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fiberwsx/wsx/batch"
)

func Example() {
	b := batch.New(batch.Config{MaxItems: 3, MaxAge: time.Minute}, func(_ context.Context, b *batch.Batch[string]) error {
		for i, device := range b.All() {
			fmt.Printf("%s=%s ", device, b.Payload(i))
		}
		fmt.Println("committed")
		return nil
	})
	ctx := context.Background()
	lane := b.Lane(7) // the same key, the same lane: one order
	for _, reading := range []string{"20.1", "20.4", "20.3", "20.9"} {
		if err := lane.Add(ctx, "dev7", []byte(reading)); err != nil {
			fmt.Println(err)
		}
	}
	if err := b.Close(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(b.Stats().Handled, "handled")
	// Output:
	// dev7=20.1 dev7=20.4 dev7=20.3 committed
	// dev7=20.9 committed
	// 4 handled
}

// A lane of its own keeps the batches of one connection apart; Flush handles the tail when the connection ends.
func ExampleBatcher_NewLane() {
	b := batch.New(batch.Config{}, func(_ context.Context, b *batch.Batch[int]) error {
		fmt.Println(b.Len(), "items")
		return nil
	})
	ctx := context.Background()
	lane := b.NewLane()
	for i := range 2 {
		_ = lane.Add(ctx, i, nil)
	}
	_ = lane.Flush(ctx)
	_ = b.Close(ctx)
	// Output: 2 items
}

// What the handler rejects, and what it fails for even alone, goes to a dead letter; the rest is handled.
func ExampleNewWithHooks() {
	handle := func(_ context.Context, b *batch.Batch[string]) error {
		for i, item := range b.All() {
			switch item {
			case "malformed":
				b.Reject(i, errors.New("no number"))
			case "cursed":
				return errors.New("constraint violated")
			}
		}
		return nil
	}
	b := batch.NewWithHooks(batch.Config{Attempts: 1}, handle, batch.Hooks[string]{
		DeadLetter: func(_ context.Context, rejected []batch.Rejected[string]) error {
			for _, r := range rejected {
				fmt.Printf("%s: %v\n", r.Item, r.Err)
			}
			return nil
		},
	})
	ctx := context.Background()
	lane := b.Lane(7)
	for _, item := range []string{"20.1", "malformed", "20.4", "cursed", "20.3"} {
		_ = lane.Add(ctx, item, nil)
	}
	_ = b.Close(ctx)
	fmt.Println(b.Stats().Handled, "handled,", b.Stats().DeadLettered, "dead-lettered")
	// Unordered output:
	// malformed: no number
	// cursed: constraint violated
	// 3 handled, 2 dead-lettered
}

// A whole life without anything else of wsx: what the handler rejects is told, what is left when Close is called is
// handled, and the figures add up.
func ExampleBatch_Reject() {
	b := batch.New(batch.Config{
		MaxItems: 4,
		OnReject: func(err error, _ int) { fmt.Println(err) },
	}, func(_ context.Context, b *batch.Batch[string]) error {
		for i, item := range b.All() {
			if _, err := strconv.ParseFloat(item, 64); err != nil {
				b.Reject(i, errors.New("no number"))
			}
		}
		return nil // the others are stored
	})
	ctx := context.Background()
	for _, item := range []string{"20.1", "20.4", "twenty", "20.3", "20.9"} {
		if err := b.Add(ctx, item); err != nil {
			fmt.Println(err)
		}
	}
	if err := b.Close(ctx); err != nil { // handles the tail; after it Add returns ErrClosed
		fmt.Println(err)
	}
	fmt.Println(b.Add(ctx, "too late"))
	s := b.Stats()
	fmt.Println(s.Accepted, "accepted,", s.Handled, "handled,", s.Rejected, "rejected")
	// Output:
	// batch: 1 items rejected: no number
	// batch: closed
	// 5 accepted, 4 handled, 1 rejected
}
