package wsx_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ws"
	"github.com/fiberwsx/wsx/wsxtest"
)

// bound reaches a limit over a socket, and checks what happens then.
type bound func(t *testing.T, on transport)

// bounds are the limits of docs/limits.md that a client can reach, by their names there.
var bounds = []map[string]bound{
	boundsBefore, boundsOfConnections, boundsOfMessages, boundsOfBatches, boundsOfStores, boundsOfTheHub, boundsOfTokens,
	boundsThatAreFixed,
}

// boundsOnSockets names the tests of limits that are reached over sockets too, but take more than a bound can do.
var boundsOnSockets = map[string]string{
	"hub.Config.WriteDeadline":      "TestAStalledSocketIsFound",
	"hub.Config.PartialBudget":      "TestThePartialBudget",
	"hub.Config.OutboxBudget":       "TestTheOutboxBudget",
	"fiber.Config.ReadTimeout":      "TestSlowHandshakes",
	"first message with a token":    "TestTheFirstMessageIsAwaited",
	"pongs and pings that wait":     "TestUnreadPongs",
	"what a client chose, in a log": "TestRefusalsAreQuotedAndCut",
	"replies that wait for company": "TestAReplyDoesNotWaitForTheNextHandler",

	// In a module of its own.
	"time between two fetches of a JWKS": "TestLimitsOnALiveSocket",
	"fetch of a JWKS":                    "TestLimitsOnALiveSocket",
	"age of a JWKS":                      "TestLimitsOnALiveSocket",
	"keys of a JWKS":                     "TestLimitsOnALiveSocket",
}

// boundsOffSockets names the tests of all other limits, and says why no socket reaches them.
var boundsOffSockets = map[string]struct{ test, why string }{
	"hub.Config.Compression.Level": {"TestCompressionConfig", "New panics: no client can reach it"},
	"auth.MinStaticToken":          {"TestStaticPanicsWithoutTheToken", "Static panics: no client can reach it"},
	"body":                         {"TestTheAppsTimeoutsStay", "it takes 5 min of fasthttp's own clock"},
	"ratelimit.DefaultMaxKeys":     {"TestAMillionKeysStayInBoundedMemory", "it takes 65,537 addresses"},
	"answer to the handshake":      {"TestAnAnswerThatNobodyTakes", "a socket has a buffer, which takes it"},
}

// TestEveryLimit reaches the limits that there are, on both transports. Several at once: much of it is waiting.
func TestEveryLimit(t *testing.T) {
	all := make(map[string]bound)
	for _, part := range bounds {
		maps.Copy(all, part)
	}
	names := slices.Collect(maps.Keys(all))
	crowd(len(names), 4, func(i int) {
		t.Run(names[i], func(t *testing.T) { onEach(t, all[names[i]]) })
	})
}

// TestEveryLimitIsReached looks for a test of each limit that the page names.
func TestEveryLimitIsReached(t *testing.T) {
	reached := maps.Clone(boundsOnSockets)
	for name, row := range boundsOffSockets {
		reached[name] = row.test
	}
	for _, part := range bounds {
		for name := range part {
			if _, twice := reached[name]; twice {
				t.Errorf("%s has two tests", name)
			}
			reached[name] = "TestEveryLimit"
		}
	}
	declared, limits := declaredTests(t), documented(t)
	delete(limits, "limit") // the heads of the tables
	for name := range limits {
		if test := reached[name]; !declared[test] {
			t.Errorf("%s: no test, or one that there is not: %q", name, test)
		}
		delete(reached, name)
	}
	for _, name := range slices.Sorted(maps.Keys(reached)) {
		t.Errorf("docs/limits.md does not name %q", name)
	}
}

// endsWith is a bound that is over with a close frame.
func endsWith(status ws.Status, cfg hub.Config, frames []byte) bound {
	return func(t *testing.T, on transport) {
		scene{status: status, hub: cfg, then: write(frames)}.play(t, on)
	}
}

// asScene is a bound that a scene is about.
func asScene(name string) bound {
	return func(t *testing.T, on transport) { scenes[name].play(t, on) }
}

// drops is a bound over which messages are dropped: of so many that are sent, that many are not handled.
func drops(cfg hub.Config, sent, dropped int) bound {
	return func(t *testing.T, on transport) {
		h := echoHub(cfg)
		_ = wsxtest.Dial(t, on.serve(t, h)).Raw(repeated(sent, "12345"))
		eventually(t, "all have come", func() bool { return h.Stats().MessagesIn == uint64(sent) })
		if got := h.Stats().RateLimited; got != uint64(dropped) {
			t.Errorf("%d of %d are dropped, want %d", got, sent, dropped)
		}
	}
}

// dropsOfAll is drops for a limit that outlives connections: each message has one of its own, and the same client.
func dropsOfAll(cfg hub.Config, sent, dropped int) bound {
	return func(t *testing.T, on transport) {
		h := echoHub(cfg)
		address := on.serve(t, h, identified(time.Hour))
		for range sent {
			c := wsxtest.Dial(t, address)
			c.SendText("12345")
			c.ReadText() // the echo, or a notice
			c.Close()
		}
		eventually(t, "all have come", func() bool { return h.Stats().MessagesIn == uint64(sent) })
		if got := h.Stats().RateLimited; got != uint64(dropped) {
			t.Errorf("%d of %d are dropped, want %d", got, sent, dropped)
		}
	}
}

// refuses is a bound in the handshake: so many clients connect, the next one is answered with this status.
func refuses(cfg hub.Config, config wsx.Config, connected, status int) bound {
	return func(t *testing.T, on transport) {
		address := on.serve(t, echoHub(cfg), config)
		for range connected {
			wsxtest.Dial(t, address)
		}
		c, resp, err := wsxtest.TryDial(t, address)
		if c != nil || err != nil || resp.StatusCode != status {
			t.Fatalf("the next one got %v, %v, want %d", resp, err, status)
		}
		if after := resp.Header.Get("Retry-After"); after == "" && (status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests) {
			t.Error("there is no Retry-After")
		}
	}
}

// gets checks what a client is told next.
func gets(t *testing.T, c *wsxtest.Client, want string) {
	t.Helper()
	if got := c.ReadText(); got != want {
		t.Errorf("got %.200s, want %s", got, want)
	}
}

// repeated returns frames with the same text.
func repeated(n int, text string) (frames []byte) {
	for range n {
		frames = append(frames, texts(text)...)
	}
	return frames
}

func fmtSize(n int) string { return fmt.Sprintf("%d bytes", n) }
