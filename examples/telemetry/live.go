package main

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
)

const (
	everything = "all"     // the room of those who watch all devices
	perDevice  = "device/" // and the device's name: the room of those who watch one

	maxFeed    = 64      // committed batches that wait for the watchers
	maxPerPush = 500     // readings in one message
	maxWaiting = 1 << 12 // messages for one watcher: one a series
)

// live shows browsers what happens: readings once they are stored, who comes and goes, and the totals each second.
//
// One goroutine sends it all, so that watchers hold up each other at most and never a device.
type live struct {
	hub      *hub.Hub
	presence *presence
	totals   func() totals
	delivery func() delivery // set before start
	log      *slog.Logger

	feed   chan []reading
	missed atomic.Int64 // readings that found the feed full
	stop   chan struct{}
	done   sync.WaitGroup
}

// The messages to a browser.
type (
	readingsMessage struct {
		Type     string         `json:"type"` // "readings"
		Device   string         `json:"device"`
		Readings []readingPoint `json:"readings"`
	}
	readingPoint struct {
		Metric string    `json:"metric"`
		Value  float64   `json:"value"`
		TS     time.Time `json:"ts"`
	}
	deviceMessage struct {
		Type      string `json:"type"` // "device"
		Device    string `json:"device"`
		Connected bool   `json:"connected"`
	}
	statsMessage struct {
		Type string `json:"type"` // "stats"
		totals
		delivery
		Rate float64 `json:"rate"` // readings stored a second, of late
	}
)

// newLive makes it; totals tells the totals at any time.
func newLive(totals func() totals, log *slog.Logger) *live {
	l := &live{
		presence: newPresence(),
		totals:   totals,
		log:      log,
		feed:     make(chan []reading, maxFeed),
		stop:     make(chan struct{}),
	}
	l.hub = hub.New(hub.Config{
		OnOpen:     l.open,
		OnMessage:  func(*hub.Conn, hub.Message) error { return errTalks },
		MaxMessage: 1 << 10,
		Logger:     log,

		OutboxMessages: maxWaiting,
	})
	return l
}

var errTalks = ws.CloseError{Status: ws.StatusPolicyViolation, Reason: "this endpoint takes no messages"}

// start begins to send.
func (l *live) start() { l.done.Go(l.run) }

// close ends the sending and waits for that.
func (l *live) close() {
	close(l.stop)
	l.done.Wait()
}

// open puts a watcher in the room of the device it asked for with ?device=, or in that of all.
func (l *live) open(c *hub.Conn) error {
	room := everything
	if device := c.Query("device"); device != "" {
		room = perDevice + device
	}
	if err := c.Join(room); err != nil {
		return err
	}
	return c.SendJSON(statsMessage{Type: "stats", totals: l.totals(), delivery: l.delivery()}) // so that the page need not wait a second
}

// push hands on what has been stored. It never waits: what the watchers are too slow for is counted, told in the log
// and still in the database.
func (l *live) push(readings []reading) {
	if len(readings) == 0 || l.hub.Len() == 0 {
		return
	}
	select {
	case l.feed <- readings:
	default:
		l.missed.Add(int64(len(readings)))
	}
}

func (l *live) run() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var stored speed
	for {
		select {
		case <-l.stop:
			return
		case readings := <-l.feed:
			l.sendReadings(readings)
		case <-l.presence.changed:
			l.sendPresence()
		case <-second.C:
			t := l.totals()
			_ = l.hub.All().SendJSON(statsMessage{"stats", t, l.delivery(), stored.per(t.Stored, time.Now())})
			if n := l.missed.Swap(0); n > 0 {
				l.log.Warn("watchers are too slow and missed readings, which are stored", "readings", n)
			}
		}
	}
}

// sendReadings sends each series by itself. A watcher that was away, as a tab in the background, comes back to the
// latest of every series instead of all that it has missed, which is in the database.
func (l *live) sendReadings(readings []reading) {
	points := make(map[seriesKey][]readingPoint)
	var all []seriesKey // in the order of their first reading
	for _, r := range readings {
		s := seriesKey{r.Device, r.Metric}
		if _, ok := points[s]; !ok {
			all = append(all, s)
		}
		points[s] = append(points[s], readingPoint{r.Metric, r.Value, r.TS})
	}
	for _, s := range all {
		to := l.hub.To(everything, perDevice+s.device).With(hub.Conflate(s.device + "\n" + s.metric))
		for part := range slices.Chunk(points[s], maxPerPush) {
			_ = to.SendJSON(readingsMessage{"readings", s.device, part}) // fails only when the hub has shut down
		}
	}
}

func (l *live) sendPresence() {
	for device, connected := range l.presence.take() {
		_ = l.hub.To(everything, perDevice+device).SendJSON(deviceMessage{"device", device, connected})
	}
}

// speed measures how fast a count grows over the last five times it was shown.
type speed struct {
	seen [5]struct {
		at    time.Time
		count int64
	}
	next int
}

// per returns how much the count grew a second, or 0 the first time.
func (s *speed) per(count int64, now time.Time) float64 {
	slot := &s.seen[s.next%len(s.seen)]
	oldest := *slot
	if s.next < len(s.seen) {
		oldest = s.seen[0]
	}
	slot.at, slot.count = now, count
	s.next++
	if oldest.at.IsZero() {
		return 0
	}
	return float64(count-oldest.count) / now.Sub(oldest.at).Seconds()
}
