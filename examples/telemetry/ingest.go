package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

// maxAnswers is how many answers may wait for a device that does not read them. A device that lets more wait is cut
// off, so that the others' readings do not wait for it.
const maxAnswers = 4000

// ingest takes what devices send. A reading travels like this: socket → hub → batch → one transaction → acknowledged,
// counted, answered for, pushed to the browsers; nothing of that happens before it is committed. The transaction also
// stores up to which number each device's messages have come, and the agent keeps each message until it is
// acknowledged: so whichever of the two dies, nothing is lost and nothing is stored twice.
type ingest struct {
	hub   *hub.Hub
	store store
	pulse *pulse
	stats *stats
	live  *live
	log   *slog.Logger
}

func newIngest(s store, p *pulse, st *stats, l *live, log *slog.Logger) *ingest {
	in := &ingest{store: s, pulse: p, stats: st, live: l, log: log}
	in.hub = hub.New(hub.Config{
		OnBatch:    in.handle,
		DeadLetter: in.deadLetter,
		Ack:        hub.AckResume,
		Position:   s.position,
		OnOpen:     in.open,
		OnClose:    in.close,
		OnError:    in.failed,
		Batch: batch.Config{
			MaxItems: 500,
			MaxBytes: 1 << 20,
			MaxAge:   100 * time.Millisecond,
			Lanes:    s.lanes(),
			Timeout:  -1,         // to give a batch up while its commit may succeed would store it twice
			Attempts: 5,          // about a second, then a message that always fails is looked for
			OnPoison: batch.Hold, // a database that is away makes the devices wait; it loses nothing
			OnRetry:  in.retrying,
		},
		OutboxMessages: maxAnswers,
		Logger:         log,
	})
	return in
}

// handle stores a batch. It may be called again with the same one, or with a part of it, so what must happen once waits
// for the commit.
func (in *ingest) handle(ctx context.Context, b *hub.Batch) error {
	messages, answers, rejected := decodeBatch(b)
	if b.Attempt() == 1 {
		in.stats.accept(countReadings(messages) + rejected)
	}
	o, err := in.store.commit(ctx, messages)
	in.pulse.heard(err)
	if err != nil {
		return fmt.Errorf("store %d messages: %w", len(messages), err)
	}
	in.stats.deliver(o, messages)
	in.stats.settle(countReadings(messages), rejected)
	in.live.push(readingsOf(messages))
	for _, a := range answers {
		a.send()
	}
	return nil
}

// deadLetter is told of the messages that handle has rejected, which are stored already, and of poison: those that it
// fails for even alone. While the database itself is what fails, so does this; then it is tried again, and all that is
// behind them waits.
func (in *ingest) deadLetter(ctx context.Context, rejected []hub.Rejected) error {
	for _, r := range rejected {
		if !r.Poison {
			continue
		}
		m := message{device: r.Conn.Subject(), number: r.Number, at: r.At, body: r.Message.Data, reason: r.Err.Error()}
		var crash *batch.PanicError
		if !errors.As(r.Err, &crash) { // else it might crash again
			m.readings, _ = decodeReadings(m.device, r.Message.Data)
		}
		o, err := in.store.bury(ctx, m)
		if err != nil {
			return fmt.Errorf("store a dead letter: %w", err)
		}
		if !o.buried {
			m.reason = ""
			in.stats.settle(len(m.readings), 0)
			in.live.push(m.readings)
		} else {
			in.stats.settle(0, len(m.readings))
			in.log.Error("a message cannot be stored and is a dead letter", "device", m.device, "number", m.number, "error", r.Err)
		}
		in.stats.deliver(o, []message{m})
	}
	return nil
}

// answer is what a device gets for a bad reading.
type answer struct {
	to   *hub.Conn
	what invalid
}

// decodeBatch rejects each message that holds a bad reading: the good ones in it are stored like all others, and it is
// kept as a dead letter. rejected counts the bad readings.
func decodeBatch(b *hub.Batch) (messages []message, answers []answer, rejected int) {
	for i, it := range b.All() {
		good, bad := decodeReadings(it.Conn.Subject(), it.Message.Data)
		messages = append(messages, message{device: it.Conn.Subject(), number: it.Number, at: it.At, readings: good})
		for _, what := range bad {
			answers = append(answers, answer{it.Conn, what})
		}
		if n := countBad(bad); n > 0 {
			rejected += n
			b.Reject(i, fmt.Errorf("%d bad readings; reading %d: %s", n, bad[0].Index, bad[0].Message))
		}
	}
	why := maps.Collect(b.Rejected())
	if len(why) == 0 {
		return messages, answers, rejected
	}
	for i, it := range b.All() {
		if err := why[i]; err != nil {
			messages[i].reason, messages[i].body = err.Error(), it.Message.Data
		}
	}
	return messages, answers, rejected
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
