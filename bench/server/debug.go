package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/pprof"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
)

// state is what the process holds.
type state struct {
	Goroutines  int    `json:"goroutines"`
	Descriptors int    `json:"descriptors"` // open now, the one that counts them included; 0 where that cannot be seen
	HeapAlloc   uint64 `json:"heap_alloc"`  // bytes in live objects, after a garbage collection
}

// serveDebug adds what only a test wants to be served, and returns its hubs: /debug/state answers with the [state],
// /debug/pprof with profiles, /panic has a handler that panics, and /gated lets 5 handshakes a second pass for each
// address, which a proxy on this machine may name, and then refuses them: what comes there leaves nothing behind but
// its key in the limiter.
func (o options) serveDebug(app *fiber.App) []*hub.Hub {
	app.Use("/debug/pprof", pprof.New())
	app.Get("/debug/state", func(c *fiber.Ctx) error { return c.JSON(takeState()) })
	crashing := o.config()
	crashing.OnMessage = func(*hub.Conn, hub.Message) error { panic("asked for") }
	crashing.OnError = func(*hub.Conn, error) {} // a hundred thousand stacks in the log are no use
	panics, gated := hub.New(crashing), o.echo()
	app.Use("/panic", wsx.New(wsx.Config{Hub: panics, Origins: []string{"*"}}))
	app.Use("/gated", wsx.New(wsx.Config{
		Hub:            gated,
		Origins:        []string{"*"},
		HandshakeRate:  5,
		TrustedProxies: []string{"127.0.0.0/8"},
		Authorize:      func(*fiber.Ctx, auth.Identity) error { return errors.New("nobody may") },
	}))
	return []*hub.Hub{panics, gated}
}

func takeState() state {
	debug.FreeOSMemory() // collects, and once more for what the first one has only unlinked from its pools
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := state{Goroutines: runtime.NumGoroutine(), HeapAlloc: m.HeapAlloc}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.Descriptors = len(open)
	}
	return s
}
