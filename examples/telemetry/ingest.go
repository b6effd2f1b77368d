package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// maxAnswers is how many answers may wait for a device that does not read them, twice what one message can ask
// for. A device that lets more wait is cut off, so that the others' readings do not wait for it.
const maxAnswers = 2 * maxReadings

// ingest takes what devices send. A batch of messages becomes one transaction; only what is committed is counted
// as stored, answered for and shown.
type ingest struct {
	hub   *hub.Hub
	store *store
	stats *stats
	live  *live
	log   *slog.Logger
}

func newIngest(s *store, st *stats, l *live, log *slog.Logger) *ingest {
	in := &ingest{store: s, stats: st, live: l, log: log}
	in.hub = hub.New(hub.Config{
		OnBatch: in.handle,
		OnOpen:  in.open,
		OnClose: in.close,
		OnError: in.failed,
		Batch: batch.Config{
			MaxItems: 500,
			MaxBytes: 1 << 20,
			MaxAge:   100 * time.Millisecond,
			Lanes:    1,  // SQLite has one writer
			Attempts: -1, // a full disk makes the devices wait; it loses nothing
			OnRetry:  in.retrying,
		},
		OutboxMessages: maxAnswers,
		Logger:         log,
	})
	return in
}

// handle stores a batch. It may be called again with the same one, so what must happen once waits for the commit.
func (in *ingest) handle(ctx context.Context, b *hub.Batch) error {
	readings, answers := decodeBatch(b)
	if b.Attempt() == 1 {
		in.stats.accept(len(readings) + len(answers))
	}
	if err := in.store.insert(ctx, readings); err != nil {
		return fmt.Errorf("store %d readings: %w", len(readings), err)
	}
	in.stats.settle(len(readings), len(answers))
	in.live.push(readings)
	for _, a := range answers {
		a.send()
	}
	return nil
}

// answer is what a device gets for a bad reading.
type answer struct {
	to   *hub.Conn
	what invalid
}

func decodeBatch(b *hub.Batch) (readings []reading, answers []answer) {
	for _, it := range b.All() {
		good, bad := decodeReadings(it.Conn.Subject(), it.Message.Data)
		readings = append(readings, good...)
		for _, what := range bad {
			answers = append(answers, answer{it.Conn, what})
		}
	}
	return readings, answers
}

func (a answer) send() {
	if a.to.State() != hub.StateOpen { // it needs no answer any more
		return
	}
	if messages, _ := a.to.Buffered(); messages >= maxAnswers {
		_ = a.to.Close(ws.StatusSlowConsumer, "read the answers")
		return
	}
	_ = a.to.SendJSON(a.what) // fails when the device has gone meanwhile
}

func (in *ingest) open(c *hub.Conn) error {
	in.log.Info("device connected", "device", c.Subject(), "ip", c.IP())
	in.live.presence.arrive(c.Subject())
	return nil
}

func (in *ingest) close(c *hub.Conn, err error) {
	in.log.Info("device disconnected", "device", c.Subject(), "why", err)
	in.live.presence.depart(c.Subject())
}

func (in *ingest) retrying(err error, attempt int, wait time.Duration) {
	in.log.Error("a batch is not stored yet; the devices wait", "error", err, "attempt", attempt, "again_in", wait)
}

func (in *ingest) failed(c *hub.Conn, err error) {
	if c == nil {
		in.log.Error("ingest", "error", err)
		return
	}
	in.log.Warn("ingest", "device", c.Subject(), "error", err)
}
