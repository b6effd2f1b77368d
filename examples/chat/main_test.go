package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
	"github.com/fiberwsx/wsx/hub"
)

func TestMain(m *testing.M) { testkit.VerifyMain(m) }

// code is that of the moderators in tests.
const code = "the moderators' code"

// running is a server on a real socket.
type running struct {
	*server
	address string
	stop    func()
}

func start(t *testing.T) *running {
	t.Helper()
	return startAt(t, "127.0.0.1:0", newKey())
}

func startAt(t *testing.T, address string, key []byte) *running {
	t.Helper()
	s, err := newServer(options{key: key, code: code, rooms: []string{"lobby", "help"}})
	if err != nil {
		t.Fatal(err)
	}
	r := &running{server: s}
	r.address, r.stop = testkit.Serve(t, s.app, address, s.hub.Shutdown)
	return r
}

// post sends a request with a token, unless that is "", and decodes the answer.
func postTo[T any](t *testing.T, r *running, path, token string, body any) (status int, v T) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+r.address+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	data, err = io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(data, &v) // some answers are empty
	return response.StatusCode, v
}

func (r *running) logIn(t *testing.T, who credentials) session {
	t.Helper()
	status, s := postTo[session](t, r, "/login", "", who)
	if status != http.StatusOK || s.Token == "" {
		t.Fatalf("login as %q: %d", who.Name, status)
	}
	return s
}

// ticket returns "" when there is none.
func (r *running) ticket(t *testing.T, token string) string {
	t.Helper()
	_, answer := postTo[struct{ Ticket string }](t, r, "/ticket", token, nil)
	return answer.Ticket
}

// event is whatever a client gets.
type event struct {
	Type     string          `json:"type"`
	ID       int             `json:"id"`
	Data     json.RawMessage `json:"data"`
	Code     string          `json:"code"`
	Room     string          `json:"room"`
	Name     string          `json:"name"`
	People   []string        `json:"people"`
	From, To string
	Text     string `json:"text"`
	Key      string `json:"key"`
	At       int64  `json:"at"`
}

// client is somebody with a connection.
type client struct {
	*websocket.Conn
	session session
	last    int
	events  []event // that came while a reply was waited for
}

// enter logs somebody in and connects.
func (r *running) enter(t *testing.T, name string) *client {
	t.Helper()
	return r.connect(t, r.logIn(t, credentials{Name: name}))
}

func (r *running) connect(t *testing.T, s session) *client {
	t.Helper()
	c, err := r.dial(t, r.ticket(t, s.Token))
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	in := &client{Conn: c, session: s}
	if _, err := ask[struct{}](t, in, "alive", nil); err != nil { // the hub has it: the answer to the handshake comes before
		t.Fatal(err)
	}
	return in
}

func (r *running) dial(t *testing.T, ticket string) (*websocket.Conn, error) {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), "ws://"+r.address+"/ws", &websocket.DialOptions{
		Subprotocols: []string{"wsx.v1", "wsx.ticket." + ticket},
	})
	return c, err
}

func (c *client) send(t *testing.T, kind string, id int, body any) {
	t.Helper()
	fields := make(map[string]any)
	if body != nil {
		data, _ := json.Marshal(body)
		_ = json.Unmarshal(data, &fields)
	}
	fields["type"] = kind
	if id > 0 {
		fields["id"] = id
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), websocket.MessageText, data); err != nil {
		t.Fatal(err)
	}
}

func (c *client) read(t *testing.T) (e event, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return e, nil
}

// ask sends a request; err is what an error reply says.
func ask[T any](t *testing.T, c *client, kind string, body any) (v T, err error) {
	t.Helper()
	c.last++
	c.send(t, kind, c.last, body)
	for {
		e, err := c.read(t)
		switch {
		case err != nil:
			t.Fatalf("%s: %v", kind, err)
		case e.ID != c.last:
			c.events = append(c.events, e)
		case e.Type == "error":
			return v, hub.EventError{Code: e.Code}
		default:
			return v, json.Unmarshal(e.Data, &v)
		}
	}
}

// expect returns the next event of that type, and leaves the others out.
func (c *client) expect(t *testing.T, kind string) event {
	t.Helper()
	for {
		for len(c.events) > 0 {
			e := c.events[0]
			c.events = c.events[1:]
			if e.Type == kind {
				return e
			}
		}
		e, err := c.read(t)
		if err != nil {
			t.Fatalf("waited for %q: %v", kind, err)
		}
		c.events = append(c.events, e)
	}
}

func (c *client) join(t *testing.T, room string) welcome {
	t.Helper()
	w, err := ask[welcome](t, c, "join", place{room})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// expectClose returns the status that the server closes with.
func (c *client) expectClose(t *testing.T) websocket.StatusCode {
	t.Helper()
	for {
		if _, err := c.read(t); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// codeOf is the code of an EventError, or "".
func codeOf(err error) string {
	var e hub.EventError
	_ = errors.As(err, &e)
	return e.Code
}
