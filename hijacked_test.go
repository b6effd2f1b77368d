package wsx

import (
	"errors"
	"net"
	"testing"
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
