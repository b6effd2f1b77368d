package wsx

import (
	"log/slog"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
	"weak"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/hub"
)

// What is examined here works, and will hurt later. Each line names the setting to change, and is written once for each
// thing that it is about, however many handlers share that. What cannot work is refused: New panics, Serve fails.

const (
	// proxyIdle is after how long many proxies cut off a connection that says nothing: nginx and the load balancers of
	// AWS by default.
	proxyIdle = 60 * time.Second
	// newestFasthttp is the last minor version of fasthttp 1 with which Fiber v2 passes its own tests.
	newestFasthttp = 58
)

// seen holds what has been examined, for as long as that lives.
var seen sync.Map // of weak.Pointer

// isNew reports whether p is seen for the first time.
func isNew[T any](p *T) bool {
	key := weak.Make(p)
	if _, known := seen.LoadOrStore(key, nil); known {
		return false
	}
	runtime.AddCleanup(p, func(key weak.Pointer[T]) { seen.Delete(key) }, key)
	return true
}

// examineHub looks at what a hub needs of the system and of the network.
func examineHub(h *hub.Hub, log *slog.Logger) {
	if !isNew(h) {
		return
	}
	most := h.MaxConns()
	if files, ok := openFiles(); ok && most > 0 && files <= uint64(most) {
		log.Warn("wsx: the process may not open more files than hub.Config.MaxConns, so that it runs out of them before "+
			"new connections are refused with 503; raise the limit (ulimit -n, LimitNOFILE of systemd) or lower MaxConns",
			"max_conns", most, "open_files", files)
	}
	if !h.Handles() { // its connections are somebody else's
		return
	}
	if every := h.PingInterval(); every == 0 || every > proxyIdle {
		log.Warn("wsx: many proxies cut off a connection that says nothing for 60 s, and this heartbeat says nothing for "+
			"longer or at all; set hub.Config.PingInterval below that", "ping_interval", every)
	}
}

// examineApp looks at what only a request shows: a handler is made without its app.
func examineApp(app *fiber.App, log *slog.Logger) {
	if !isNew(app) {
		return
	}
	if app.Server().ReadTimeout <= 0 {
		log.Warn("wsx: the app has no ReadTimeout, so a handshake sent byte by byte holds a connection for ever; " +
			"serve with wsx.Listen, or set fiber.Config.ReadTimeout")
	}
	if app.Config().Prefork && fiber.IsChild() {
		log.Warn("wsx: fiber.Config.Prefork has started processes that each have a hub of their own, so that a broadcast " +
			"reaches only some clients, and a signal cuts all of them off; turn it off, and serve with wsx.Listen")
	}
}

var buildInfo = sync.OnceValue(func() *debug.BuildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return new(debug.BuildInfo)
	}
	return info
})

// examineBuild looks at what the program is built of.
func examineBuild(log *slog.Logger) {
	if info := buildInfo(); isNew(info) {
		examineModules(info.Deps, log)
	}
}

func examineModules(modules []*debug.Module, log *slog.Logger) {
	for _, m := range modules {
		if m.Path != "github.com/valyala/fasthttp" {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if minor, ok := minorOf1(m.Version); ok && minor > newestFasthttp {
			log.Warn("wsx: Fiber v2 goes with fasthttp up to v1.58, and parts of its security fail in silence with newer ones; "+
				"require github.com/valyala/fasthttp v1.58.0 in go.mod", "fasthttp", m.Version)
		}
	}
}

// minorOf1 returns the minor number of a version 1.
func minorOf1(version string) (minor int, ok bool) {
	rest, ok := strings.CutPrefix(version, "v1.")
	if !ok {
		return 0, false
	}
	number, _, _ := strings.Cut(rest, ".")
	minor, err := strconv.Atoi(number)
	return minor, err == nil
}
