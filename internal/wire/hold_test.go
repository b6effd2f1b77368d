package wire_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fiberwsx/wsx/internal/wire"
	"github.com/fiberwsx/wsx/ws"
)

// closed reports whether ch is closed.
func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestHoldWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		synctest.Wait()
		held := r.Hold()
		want(t, "held at once", closed(held), true)
		r.client.SendText("too late")
		synctest.Wait()
		wantAll(t, "handled", r.handler.all(), nil)
		_, listening := r.Listening()
		want(t, "listening", listening, false)

		must(t, r.Send(ws.Text, []byte("still goes out")))
		want(t, "message", r.client.ReadText(), "still goes out")
		must(t, r.Close(ws.StatusGoingAway, ""))
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusGoingAway)
		r.ended(t)
		wantAll(t, "handled", r.handler.all(), nil)
	})
}

// TestHoldInAHandler: the frames of the read in hand are handled, and then nothing more.
func TestHoldInAHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		r := piped(t, limits(), &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { <-leave }})
		must(t, r.client.Raw(join(text("a"), first("b"), last("c"), text("d"), text("never all there")[:9])))
		synctest.Wait()
		held := r.Hold()
		synctest.Wait()
		want(t, "held while the handler runs", closed(held), false)
		close(leave)
		<-held
		must(t, r.client.Raw([]byte("garbage that nobody parses before the close")))
		time.Sleep(time.Hour)
		wantAll(t, "handled", r.handler.all(), []string{`text "a"`, `text "bc"`, `text "d"`})
		want(t, "a second Hold", closed(r.Hold()), true)
	})
}

func TestHoldOfAClosedConnection(t *testing.T) {
	r := piped(t, limits(), &recorder{})
	r.Abort()
	r.ended(t)
	want(t, "held", closed(r.Hold()), true)
}

// TestHeldPeerCloses: the peer's close frame is answered as soon as the server closes.
func TestHeldPeerCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := piped(t, limits(), &recorder{})
		synctest.Wait()
		<-r.Hold()
		r.client.SendClose(ws.StatusNormalClosure, "")
		time.Sleep(time.Second)
		begun := time.Now()
		must(t, r.Close(ws.StatusGoingAway, "restart"))
		got := hear(t, r.client)
		want(t, "close frame", *got.close, ws.CloseError{Status: ws.StatusGoingAway, Reason: "restart"})
		r.ended(t)
		want(t, "until the end", time.Since(begun), 0)
	})
}

func TestHeldPeerHangsUp(t *testing.T) {
	r := dialed(t, limits(), &recorder{})
	<-r.Hold()
	_ = r.client.Conn().Close()
	r.ended(t)
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusAbnormalClosure)
}

// TestHeldPeerThatNeverStops: a peer that sends all the time and never answers still sees the close frame.
func TestHeldPeerThatNeverStops(t *testing.T) {
	cfg := limits()
	cfg.CloseTimeout = 300 * time.Millisecond
	flowing := make(chan struct{}, 1)
	r := dialed(t, cfg, &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) {
		select {
		case flowing <- struct{}{}:
		default:
		}
	}})
	var sending sync.WaitGroup
	sending.Go(func() {
		for flood := blob(4000); r.client.Raw(flood) == nil; {
		}
	})
	<-flowing
	<-r.Hold()
	count := len(r.handler.all())
	must(t, r.Close(ws.StatusGoingAway, ""))
	f, err := r.client.ReadFrame()
	must(t, err)
	want(t, "opcode", f.Op, wire.OpClose)
	r.ended(t)
	sending.Wait()
	want(t, "cause", ws.StatusOf(r.Cause()), ws.StatusGoingAway)
	want(t, "handled after Hold", len(r.handler.all())-count, 0)
}

// TestHoldDoesNotWaitForTheCloseHandshake: a peer that breaks the protocol, and then is silent, holds nobody up.
func TestHoldDoesNotWaitForTheCloseHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leave := make(chan struct{})
		r := piped(t, limits(), &recorder{onMessage: func(*wire.Conn, ws.MessageType, []byte) { <-leave }})
		go func() { _ = r.client.Raw(join(text("a"), []byte{0xff, 0xff})) }()
		synctest.Wait()
		held := r.Hold()
		began := time.Now()
		close(leave)
		<-held
		want(t, "held after", time.Since(began), 0)
		want(t, "close frame", r.client.ReadClose().Status, ws.StatusProtocolError)
	})
}
