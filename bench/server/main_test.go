package main

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/wsxtest"
)

// start serves the endpoints on a real socket and returns their address.
func start(t *testing.T, o options) string {
	t.Helper()
	app, hubs := o.app()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		for _, h := range hubs {
			if err := h.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
				t.Error(err)
			}
			if r := h.Report(); r.Accepted != r.Committed || r.Pending != 0 {
				t.Errorf("of what was accepted something is not handled: %+v", r)
			}
		}
		if err := app.ShutdownWithTimeout(5 * time.Second); err != nil {
			t.Error(err)
		}
		<-served
	})
	return "ws://" + ln.Addr().String()
}

func TestEcho(t *testing.T) {
	c := wsxtest.Dial(t, start(t, options{})+"/echo")
	for range 1000 { // far over the default rate
		c.SendText("hello")
		if got := c.ReadText(); got != "hello" {
			t.Fatalf("got %q", got)
		}
	}
	c.Close()
}

func TestBroadcastReachesTheSenderToo(t *testing.T) {
	addr := start(t, options{}) + "/broadcast"
	a, b := wsxtest.Dial(t, addr), wsxtest.Dial(t, addr)
	for _, c := range []*wsxtest.Client{a, b} { // b is there when its own message has come back
		c.SendText("here")
		for c.ReadText() != "here" {
		}
	}
	b.SendText("to all")
	for _, c := range []*wsxtest.Client{a, b} {
		for c.ReadText() != "to all" {
		}
		c.Close()
	}
}

func TestIngestCounts(t *testing.T) {
	before := ingested.Load()
	c := wsxtest.Dial(t, start(t, options{})+"/ingest")
	for range 700 {
		c.SendText("reading")
	}
	deadline := time.After(10 * time.Second)
	for ingested.Load()-before < 700 {
		select {
		case <-deadline:
			t.Fatalf("%d of 700 were handled", ingested.Load()-before)
		case <-time.After(time.Millisecond):
		}
	}
	c.Close()
}

func TestFlags(t *testing.T) {
	addr := start(t, options{maxMessage: 10, subprotocols: "a,b", pingInterval: 50 * time.Millisecond})
	c := wsxtest.Dial(t, addr+"/echo", wsxtest.Options{Subprotocols: []string{"b"}})
	if f, err := c.ReadFrame(); err != nil || f.Op != 9 {
		t.Errorf("got %+v, %v, want a ping", f, err)
	}
	c.SendText("more than ten bytes")
	if e := c.ReadClose(); e.Status != 1009 {
		t.Errorf("closed with %v", e)
	}
	if err := run(options{limits: "some"}); err == nil || !strings.Contains(err.Error(), "off and default") {
		t.Errorf("-limits some: %v", err)
	}
}

func TestDefaultLimits(t *testing.T) {
	c := wsxtest.Dial(t, start(t, options{limits: limitsDefault})+"/echo")
	for range 100 {
		_ = c.Frame(true, 9, nil)
	}
	if e := c.ReadClose(); e.Status != 1008 {
		t.Errorf("a hundred pings at once were closed with %v", e)
	}
}

func TestDebug(t *testing.T) {
	addr := start(t, options{debug: true})
	c := wsxtest.Dial(t, addr+"/panic")
	c.SendText("panic")
	if e := c.ReadClose(); e.Status != 1011 {
		t.Errorf("a panic closed with %v", e)
	}
	if _, resp, err := wsxtest.TryDial(t, addr+"/gated"); resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("/gated: %v, %v", resp, err)
	}
	resp, err := http.Get("http" + strings.TrimPrefix(addr, "ws") + "/debug/state")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var s state
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil || s.Goroutines == 0 || s.HeapAlloc == 0 {
		t.Errorf("got %+v, %v", s, err)
	}
}
