package wsx_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// upper is a type with its own idea of text.
type upper struct{ s string }

func (u *upper) UnmarshalText(p []byte) error {
	u.s = strings.ToUpper(string(p))
	return nil
}

type named struct {
	Name string `query:"name"`
}

type item struct {
	Note string `query:"note"`
}

// everything has a field of each kind that the parsers fill.
type everything struct {
	Base   named
	Room   string            `params:"room"`
	Age    int               `query:"age"`
	Tags   []string          `query:"tags"`
	Last   *string           `query:"last"`
	Items  []item            `query:"items"`
	Own    upper             `query:"own"`
	Agent  string            `reqHeader:"X-Agent"`
	Crumb  string            `cookie:"crumb"`
	Plain  string            // of nobody
	Lookup map[string]string // likewise
}

func (e everything) text() string {
	last := ""
	if e.Last != nil {
		last = *e.Last
	}
	return fmt.Sprint(e.Base.Name, e.Room, e.Age, e.Tags, last, e.Items, e.Own.s, e.Agent, e.Crumb, e.Plain, e.Lookup)
}

func everythingWith(v string) (path string, fields []string) {
	return "/" + v + "?Base.name=" + v + "&age=7&tags=" + v + "&tags=b" + v + "&last=" + v + "&items.0.note=" + v + "&items.1.note=n" + v +
		"&own=" + v, []string{"X-Agent: " + v, "Cookie: crumb=" + v}
}

func wantEverything(v string) string {
	return fmt.Sprint(v, v, 7, []string{v, "b" + v}, v, []item{{v}, {"n" + v}}, strings.ToUpper(v), v, v, "", map[string]string(nil))
}

// TestBoundValuesStay keeps what 500 requests on one connection were bound to: fasthttp uses the memory of each for
// the next one.
func TestBoundValuesStay(t *testing.T) {
	const requests = 500
	bind := wsx.BindTo[everything]()
	kept := make([]everything, 0, requests)
	app := newApp()
	app.Get("/:room", func(c *fiber.Ctx) error {
		v, err := bind(c)
		if err != nil {
			return err
		}
		kept = append(kept, v.(everything)) // requests on one connection come one after the other
		return nil
	})
	nc, err := net.Dial("tcp", serve(t, app))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	r := bufio.NewReader(nc)
	for n := range requests {
		path, fields := everythingWith(fmt.Sprintf("value-%03d", n))
		_, _ = io.WriteString(nc, "GET "+path+" HTTP/1.1\r\nHost: a\r\n"+strings.Join(fields, "\r\n")+"\r\n\r\n")
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("got %v, %v", resp, err)
		}
		body(t, resp)
	}
	for n, v := range kept {
		if want := wantEverything(fmt.Sprintf("value-%03d", n)); v.text() != want {
			t.Fatalf("%d: got %s, want %s", n, v.text(), want)
		}
	}
	if len(kept) != requests {
		t.Errorf("%d values of %d requests", len(kept), requests)
	}
}

func serveBound(t *testing.T, bind wsx.Binder, config ...hub.Config) (addr string, h *hub.Hub) {
	t.Helper()
	h = echoHub(config...)
	app := newApp()
	app.Use("/ws/:room", wsx.New(wsx.Config{Hub: h, Bind: bind, Logger: quiet}))
	return serve(t, app, h), h
}

// TestBoundValuesReachTheHub reads them in OnOpen and, of another type, not at all.
func TestBoundValuesReachTheHub(t *testing.T) {
	addr, _ := serveBound(t, wsx.BindTo[everything](), hub.Config{OnOpen: func(c *hub.Conn) error {
		v, ok := wsx.Bound[everything](c)
		_, other := wsx.Bound[named](c)
		return c.SendText(fmt.Sprint(v.text(), ok, other))
	}})
	path, fields := everythingWith("blue")
	_, c := wsxtest.Exchange(t, addr, handshake("/ws"+path, "+"+fields[0], "+"+fields[1]))
	if got, want := c.ReadText(), wantEverything("blue")+"true false"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c.Close()
}

type roomData struct {
	Room  string `params:"room"`
	Since int    `query:"since"`
	Need  string `query:"need,required"`
	Items []item `query:"items"`
	User  string `cookie:"user"`
	Loose string
}

// TestHostileRequestData: a source sets only the fields that are tagged with it, and what does not fit is a 400 that
// gives the slot back and says nothing.
func TestHostileRequestData(t *testing.T) {
	addr, h := serveBound(t, wsx.BindTo[roomData](), hub.Config{MaxConns: 1, OnOpen: func(c *hub.Conn) error {
		v, _ := wsx.Bound[roomData](c)
		return c.SendText(fmt.Sprintf("%q %d %q %q %q", v.Room, v.Since, v.Need, v.User, v.Loose))
	}})
	for request, want := range map[string]string{
		handshake("/ws/blue?need=x"):                                        `"blue" 0 "x" "" ""`,
		handshake("/ws/a%20b?need=x"):                                       `"a b" 0 "x" "" ""`,
		handshake("/ws/blue?need=x&room=red&Room=red&ROOM=red"):             `"blue" 0 "x" "" ""`,
		handshake("/ws/blue?need=x&user=root&User=root&Loose=1&loose=2"):    `"blue" 0 "x" "" ""`,
		handshake("/ws/blue?need=x", "+Room: red", "+User: root"):           `"blue" 0 "x" "" ""`,
		handshake("/ws/blue?need=x", "+Cookie: room=red; user=ann; need=y"): `"blue" 0 "x" "ann" ""`,
		handshake("/ws/blue?need=x&since=9223372036854775807"):              `"blue" 9223372036854775807 "x" "" ""`,
		handshake("/ws/blue"):                                               "",
		handshake("/ws/blue?need="):                                         "",
		handshake("/ws/blue", "+Cookie: need=x"):                            "",
		handshake("/ws/blue?need=x&since=s3cr3t"):                           "",
		handshake("/ws/blue?need=x&since=9223372036854775808"):              "",
		handshake("/ws/blue?need=x&items.99999999.note=x"):                  "",
		handshake("/ws/blue?need=x&items.1e9.note=x"):                       `"blue" 0 "x" "" ""`,
		handshake("/ws/blue?need=x&items.-1.note=x"):                        "",
		handshake("/ws/blue?need=x&" + strings.Repeat("a.", 1000) + "=1"):   `"blue" 0 "x" "" ""`,
	} {
		eventually(t, "the last one is over", func() bool { return h.Len() == 0 })
		resp, c := wsxtest.Exchange(t, addr, request)
		switch {
		case want == "" && resp.StatusCode != http.StatusBadRequest:
			t.Errorf("%.80q: got %s, want 400", request, resp.Status)
		case want == "":
			if got := body(t, resp); got != `{"error":"invalid request data"}` {
				t.Errorf("%.80q: got %s", request, got)
			}
		case resp.StatusCode != http.StatusSwitchingProtocols:
			t.Errorf("%.80q: got %s: %s", request, resp.Status, body(t, resp))
		default:
			if got := c.ReadText(); got != want {
				t.Errorf("%.80q: got %s, want %s", request, got, want)
			}
		}
		_ = c.Conn().Close()
	}
}

// TestBindersOfOnesOwn are plain functions.
func TestBindersOfOnesOwn(t *testing.T) {
	addr, _ := serveBound(t, func(c *fiber.Ctx) (any, error) {
		if c.Query("since") == "" {
			return nil, errors.New("no since")
		}
		return len(c.Query("since")), nil
	}, hub.Config{OnOpen: func(c *hub.Conn) error {
		n, ok := wsx.Bound[int](c)
		return c.SendText(fmt.Sprint(n, ok))
	}})
	_, c := wsxtest.Exchange(t, addr, handshake("/ws/blue?since=123"))
	if got := c.ReadText(); got != "3 true" {
		t.Errorf("got %s", got)
	}
	c.Close()
}

type inner struct {
	Room string `params:"room"`
}

func TestBindToPanics(t *testing.T) {
	for want, bind := range map[string]func(){
		"needs a struct": func() { wsx.BindTo[string]() },
		"no field has":   func() { wsx.BindTo[struct{ Room string }]() },
		"has two tags": func() {
			wsx.BindTo[struct {
				Room string `params:"room" query:"room"`
			}]()
		},
		"is unexported": func() {
			wsx.BindTo[struct {
				room string `params:"room"`
			}]()
		},
		"embedded pointer": func() {
			wsx.BindTo[struct {
				*inner
				Since int `query:"since"`
			}]()
		},
		"works with wsx.New": func() { wsx.Contrib(contribEcho, wsx.Config{Bind: wsx.BindTo[inner]()}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if p, _ := recover().(string); !strings.HasPrefix(p, "wsx: ") || !strings.Contains(p, want) {
					t.Errorf("panicked with %q, want %q", p, want)
				}
			}()
			bind()
		})
	}
}

// TestBindKeepsWordsInside: what a client has sent that did not fit is in no log.
func TestBindKeepsWordsInside(t *testing.T) {
	l := &leakTest{T: t}
	h := echoHub(hub.Config{Logger: quiet})
	app := newApp()
	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: l.log.logger(), Bind: wsx.BindTo[struct {
		At time.Time `cookie:"n"` // whose errors quote
	}]()}))
	resp, c := wsxtest.Exchange(t, serve(t, app, h), handshake("/ws", "+Cookie: n="+marker))
	if got := l.answer(resp); got != http.StatusBadRequest {
		t.Errorf("got %d", got)
	}
	_ = c.Conn().Close()
	l.check(h)
}
