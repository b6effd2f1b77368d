package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/auth/jwt"
)

const (
	answerTime  = 10 * time.Second
	longestWait = 2 * time.Second // before a device connects again
)

// device follows wsx.ack.v1: it sends messages 1, 2, 3 …, keeps what is not acknowledged, and sends that again after a
// reconnect. As it never sends anything else, the number of a message is what the server must give it.
type device struct {
	name   string
	url    string
	token  string
	period time.Duration // between two messages

	mu sync.Mutex
	deviceState
}

type deviceState struct {
	made   uint64 // the newest message
	sent   uint64
	acked  uint64 // up to which all are stored, as the server says
	over   bool   // no more are made
	nacks  int
	broken string // what the server has said and may not; "" while it has not
}

// readings is how many readings message n holds.
func readings(n uint64) int { return 1 + int(n%3) }

// message is message n: as many readings as it has, each with the value n.
func message(n uint64) ([]byte, error) {
	type reading struct {
		Metric string    `json:"metric"`
		Value  uint64    `json:"value"`
		TS     time.Time `json:"ts"`
	}
	all := make([]reading, readings(n))
	for i := range all {
		all[i] = reading{fmt.Sprint("m", i), n, time.Now().UTC()}
	}
	return json.Marshal(all)
}

func newDevice(name, address string, rate float64) (*device, error) {
	token, err := jwt.Sign([]byte(key), jwt.Claims{Subject: name, Expires: time.Now().Add(24 * time.Hour)})
	return &device{
		name: name, url: "ws://" + address + "/ingest", token: token,
		period: time.Duration(float64(time.Second) / rate),
	}, err
}

func (d *device) state() deviceState {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.deviceState
}

// settled reports whether no more is made and all is acknowledged, or the device has given up.
func (d *device) settled() bool {
	s := d.state()
	return s.over && (s.acked == s.made || s.broken != "")
}

// run makes messages until enough, and sends them until ctx ends or the server says what it may not.
func (d *device) run(ctx context.Context, enough <-chan struct{}) {
	var making sync.WaitGroup
	making.Go(func() { d.make(enough) })
	for failures := 0; ctx.Err() == nil && d.state().broken == ""; failures++ {
		if d.connect(ctx) {
			failures = 0
		}
		sleep(ctx, rand.N(min(longestWait, 100*time.Millisecond<<min(failures, 8))))
	}
	making.Wait()
}

func (d *device) make(enough <-chan struct{}) {
	tick := time.NewTicker(d.period)
	defer tick.Stop()
	for {
		select {
		case <-enough:
			d.mu.Lock()
			d.over = true
			d.mu.Unlock()
			return
		case <-tick.C:
			d.mu.Lock()
			d.made++
			d.mu.Unlock()
		}
	}
}

// connect sends over one connection until it ends, and reports whether it has said anything.
func (d *device) connect(ctx context.Context) bool {
	dialing, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, _, err := websocket.Dial(dialing, d.url, &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + d.token}},
		Subprotocols: []string{"wsx.ack.v1"},
	})
	if err != nil {
		return false
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	next := make(chan uint64, 1)
	var listening sync.WaitGroup
	listening.Go(func() { defer end(); d.listen(ctx, c, next) })
	select {
	case n := <-next:
		d.send(ctx, c, n)
	case <-ctx.Done():
	}
	_ = c.CloseNow()
	listening.Wait()
	return true
}

// send sends from message n on, whatever is made.
func (d *device) send(ctx context.Context, c *websocket.Conn, n uint64) {
	tick := time.NewTicker(d.period)
	defer tick.Stop()
	for {
		d.mu.Lock()
		made := d.made
		d.sent = max(d.sent, min(n, made))
		d.mu.Unlock()
		if n > made {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				continue
			}
		}
		body, err := message(n)
		if err == nil {
			err = c.Write(ctx, websocket.MessageText, body)
		}
		if err != nil {
			return
		}
		n++
	}
}

// note is what a server says.
type note struct {
	WSX  string `json:"wsx"`
	Next uint64 `json:"next"`
	Seq  uint64 `json:"seq"`
}

func (d *device) listen(ctx context.Context, c *websocket.Conn, next chan<- uint64) {
	for {
		_, data, err := c.Read(ctx)
		if err != nil || len(data) == 0 { // the library takes a connection that is cut behind a frame's header for an empty message
			return
		}
		var n note
		if err = json.Unmarshal(data, &n); err == nil {
			err = d.hear(n)
		}
		if err != nil {
			d.mu.Lock()
			d.broken = fmt.Sprintf("%s was told %s: %v", d.name, data, err)
			d.mu.Unlock()
			return
		}
		if n.WSX == "hello" {
			select {
			case next <- n.Next:
			default:
			}
		}
	}
}

// hear checks and keeps what the server says. What it says to have, it must have got; and what it has acknowledged, it
// may not ask for again.
func (d *device) hear(n note) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case n.WSX == "nack":
		d.nacks++
		return errors.New("nothing was wrong with it")
	case n.WSX == "hello" && n.Next <= d.acked:
		return fmt.Errorf("everything up to %d was acknowledged", d.acked)
	case n.WSX == "hello" && n.Next > d.sent+1, n.WSX == "ack" && n.Seq > d.sent:
		return fmt.Errorf("only %d were sent", d.sent)
	case n.WSX == "hello":
		d.acked = n.Next - 1
	case n.WSX == "ack":
		d.acked = max(d.acked, n.Seq)
	default:
		return errors.New("this is no hello, ack or nack")
	}
	return nil
}
