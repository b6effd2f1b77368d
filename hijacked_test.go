package wsx

import (
	"errors"
	"net"
	"testing"
	"time"
)

// TestHijackedIsForgotten closes what fasthttp has taken back: by then the socket may be another client's.
func TestHijackedIsForgotten(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	h := newHijacked(server)
	if h.UnsafeConn() != server {
		t.Error("the socket is not to be had")
	}
	h.forget(true)
	if err := h.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Close: %v", err)
	}
	if err := h.CloseWrite(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("CloseWrite: %v", err)
	}
	if nc := h.UnsafeConn(); nc != nil {
		t.Errorf("the socket is still to be had: %v", nc)
	}
	go func() { _, _ = server.Write([]byte("x")) }()
	if _, err := client.Read(make([]byte, 1)); err != nil {
		t.Errorf("the socket was closed: %v", err)
	}
}

// closing takes its time to close, as TLS does whose peer does not read.
type closing struct {
	net.Conn
	begun, end chan struct{}
}

func (c closing) Close() error {
	close(c.begun)
	<-c.end
	return nil
}

// TestHijackedCloses: who asks for the socket, with an outbox locked, does not wait for its end. fasthttp does.
func TestHijackedCloses(t *testing.T) {
	socket := closing{begun: make(chan struct{}), end: make(chan struct{})}
	h := newHijacked(socket)
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = h.Close()
	}()
	<-socket.begun
	asked := make(chan net.Conn)
	go func() { asked <- h.UnsafeConn() }()
	select {
	case nc := <-asked:
		if nc != socket {
			t.Error("the socket is not to be had")
		}
	case <-time.After(10 * time.Second):
		t.Error("the socket is not to be had before it is closed")
	}
	close(socket.end)
	h.forget(true)
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("not closed")
	}
}
