package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// ackProtocol is what a device asks for to be told what is stored. This is the whole of it:
//
//   - Send nothing before the hello. Then the n-th message has the number hello.next + n - 1.
//   - Keep each message until an ack has its number or a higher one.
//   - After a reconnect, hello.resumed tells to drop what is below hello.next. Whatever is left is sent again, in
//     order, from the number hello.next on.
//   - A nack settles its number too. With retry, the message is sent again as a new one, after after_ms.
//   - At most hello.window messages and hello.window_bytes bytes are unsettled.
const ackProtocol = "wsx.ack.v1"

// note is what a server says in it.
type note struct {
	WSX         string `json:"wsx"` // hello, ack or nack
	Resumed     bool   `json:"resumed"`
	Next        uint64 `json:"next"`
	Window      int    `json:"window"`
	WindowBytes int    `json:"window_bytes"`
	Seq         uint64 `json:"seq"`
	Code        string `json:"code"`
	Retry       bool   `json:"retry"`
	AfterMS     int    `json:"after_ms"`
}

// connect sends over one connection until that ends, and returns how long it was up; 0 when there was none.
func (a *agent) connect(ctx context.Context, from *backlog) (up time.Duration, err error) {
	c, err := a.dial(ctx)
	if err != nil {
		return 0, err
	}
	hello, err := a.begin(ctx, c, from)
	if err != nil {
		_ = c.CloseNow()
		return 0, lasting(err)
	}
	began := time.Now()
	a.log.Info("agent: connected", "device", a.device, "url", a.url, "resumed", hello.Resumed, "next", hello.Next)
	if lost, unfit := from.takeLost(); lost+unfit > 0 {
		a.log.Warn("agent: messages are lost", "device", a.device, "for want of room", lost, "refused", unfit)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var listening sync.WaitGroup
	listening.Go(func() { cancel(a.listen(c, from)) })
	err = a.send(ctx, c, from)
	_ = c.Close(websocket.StatusNormalClosure, "") // nothing happens when the server has closed
	listening.Wait()
	return time.Since(began), lasting(err)
}

func (a *agent) dial(ctx context.Context) (*websocket.Conn, error) {
	token, err := a.token()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, answer, err := websocket.Dial(ctx, a.url, &websocket.DialOptions{
		HTTPHeader:   http.Header{"Authorization": {"Bearer " + token}},
		Subprotocols: []string{ackProtocol},
	})
	if answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden) {
		return nil, fmt.Errorf("%w: it answered %s; is the token of this server, and still good?", errRefused, answer.Status)
	}
	return c, err
}

// begin waits for the hello, which may take as long as the messages of an older connection take to be stored.
func (a *agent) begin(ctx context.Context, c *websocket.Conn, from *backlog) (hello note, err error) {
	if c.Subprotocol() != ackProtocol {
		return hello, fmt.Errorf("%w: it does not speak %s", errRefused, ackProtocol)
	}
	err = within(ctx, helloTime, func(ctx context.Context) error {
		_, message, err := c.Read(ctx)
		if err != nil {
			return err
		}
		return json.Unmarshal(message, &hello)
	})
	if err == nil && (hello.WSX != "hello" || hello.Next == 0) {
		err = errors.New("the server did not begin with a hello")
	}
	if err != nil {
		return hello, err
	}
	return hello, from.greet(hello)
}

// send sends what is measured, oldest first, until the connection or ctx ends; the error is why it did.
func (a *agent) send(ctx context.Context, c *websocket.Conn, from *backlog) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-from.filled:
			err = a.flush(ctx, c, from)
		case <-ping.C:
			err = within(ctx, answerTime, c.Ping)
		}
		if err != nil {
			return err
		}
	}
}

// flush sends what there is and the window has room for. The message in hand goes out whole, even when ctx ends
// meanwhile.
func (a *agent) flush(ctx context.Context, c *websocket.Conn, from *backlog) error {
	for ctx.Err() == nil {
		message, wait := from.next()
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
			continue
		}
		if message == nil {
			return nil
		}
		err := within(context.WithoutCancel(ctx), answerTime, func(ctx context.Context) error {
			return c.Write(ctx, websocket.MessageText, message)
		})
		if err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

func within(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return do(ctx)
}

// listen reads until the connection ends, and says how it did.
func (a *agent) listen(c *websocket.Conn, from *backlog) error {
	for {
		_, message, err := c.Read(context.Background()) // ends with the connection
		if err != nil {
			return err
		}
		var n note
		if json.Unmarshal(message, &n) == nil {
			switch n.WSX {
			case "ack":
				from.settle(n.Seq)
				continue
			case "nack":
				if err := from.refuse(n); err != nil {
					return err
				}
			}
		}
		a.log.Warn("agent: the server says", "device", a.device, "message", string(message[:min(len(message), 256)]))
	}
}

// lasting wraps the closes after which connecting again would change nothing.
func lasting(err error) error {
	switch websocket.CloseStatus(err) {
	case 4001, 4003, 4009, 4010: // token refused, kicked, replaced by another connection, version unsupported
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}
