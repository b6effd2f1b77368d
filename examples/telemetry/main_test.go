package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

// asProgram makes the test binary behave as the program itself, so that a test can start it as a process of its own.
const asProgram = "TELEMETRY_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	if ledger := os.Getenv(asCounter); ledger != "" {
		os.Exit(countingAgent(ledger))
	}
	testkit.VerifyMain(allTests{m})
}

// allTests are the tests, and the end of what they share.
type allTests struct{ *testing.M }

func (a allTests) Run() int {
	defer endCluster()
	return a.M.Run()
}

// running is a server on a real socket.
type running struct {
	*server
	address string
	stop    func()
}

// start runs a server on the database at path until the test ends or stop is called.
func start(t *testing.T, path string) *running {
	t.Helper()
	return startWith(t, options{db: path, demo: true, lifetime: time.Hour})
}

func startWith(t *testing.T, o options) *running {
	t.Helper()
	return startAt(t, o, "127.0.0.1:0")
}

func startAt(t *testing.T, o options, address string) *running {
	t.Helper()
	s, err := newServer(o, quiet())
	if err != nil {
		t.Fatal(err)
	}
	r := &running{server: s}
	var stop func()
	r.address, stop = testkit.Serve(t, s.app, address, func(ctx context.Context) (err error) {
		for _, h := range s.hubs() {
			err = errors.Join(err, h.Shutdown(ctx))
			if r := h.Report(); r.Accepted != r.Committed+r.DeadLettered+r.Nacked+r.Abandoned || r.Pending != 0 {
				t.Errorf("the report does not add up: %+v", r)
			}
		}
		return err
	})
	r.stop = sync.OnceFunc(func() {
		stop()
		if err := s.close(); err != nil {
			t.Errorf("closing the store: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

func (r *running) get(t *testing.T, path string, change ...func(*http.Request)) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// getJSON expects 200.
func getJSON[T any](t *testing.T, r *running, path string) (v T) {
	t.Helper()
	code, body := r.get(t, path)
	if code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, code, body)
	}
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	return v
}

// connect opens a device's connection with a token from the program's own end point.
func (r *running) connect(t *testing.T, device string) *websocket.Conn {
	t.Helper()
	return r.connectAs(t, device)
}

func (r *running) connectAs(t *testing.T, device string, protocols ...string) *websocket.Conn {
	t.Helper()
	token := getJSON[struct{ Token string }](t, r, "/api/token?device="+device).Token
	return dial(t, "ws://"+r.address+"/ingest", http.Header{"Authorization": {"Bearer " + token}}, protocols...)
}

func dial(t *testing.T, url string, header http.Header, protocols ...string) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func send(t *testing.T, c *websocket.Conn, message string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, message, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(message)
}
