package wsx

import (
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/ws"
)

// contribSlot is where Contrib leaves an admission with the request.
const contribSlot = "github.com/fiberwsx/wsx.slot"

// contribReadLimit is the longest message in bytes where there is no hub to say so.
const contribReadLimit = 64 << 10

// Contrib runs a handler written for gofiber/contrib/websocket behind this package's handshake: origin, token, caps.
// The hub is optional here, and needs no handler; with it the connection counts among the hub's, its MaxMessage is the
// read limit, and a shutdown ends it with its ShutdownStatus.
//
// It is a bridge, not the hub: the connection is no [hub.Conn] and has no rooms, text is not checked as UTF-8, and the
// read limit counts compressed bytes. fn gets a copy of contrib's pooled Conn, which is closed when fn returns: writes
// fail from then on. A panic ends the connection with 1011; its text goes nowhere.
//
// It panics like [New] when the configuration cannot work.
func Contrib(fn func(*websocket.Conn), config ...Config) fiber.Handler {
	if fn == nil {
		panic("wsx: Contrib needs a handler: wsx.Contrib(func(c *websocket.Conn) { ... })")
	}
	cfg := configDefault(config)
	if cfg.Bind != nil {
		panic("wsx: Config.Bind works with wsx.New; a handler of Contrib has contrib's own Params, Query and Cookies")
	}
	if len(cfg.Versions) > 0 {
		panic("wsx: Config.Versions works with wsx.New; a handler of Contrib has contrib's own Subprotocols")
	}
	if cfg.Refresh || cfg.FirstMessage {
		panic("wsx: Config.Refresh and FirstMessage work with wsx.New; wsx does not read what a connection of Contrib sends")
	}
	g, err := compile(cfg)
	if err != nil {
		panic("wsx: " + err.Error())
	}
	examineBuild(g.log)
	if cfg.Hub != nil {
		examineHub(cfg.Hub, g.log)
	}
	upgrade := websocket.New(g.contribConn(fn), websocket.Config{
		Origins:        []string{"*"}, // this package has checked it
		Subprotocols:   g.protocols,
		RecoverHandler: func(*websocket.Conn) {}, // contribConn does
	})
	return func(c *fiber.Ctx) error {
		return g.handle(c, func(c *fiber.Ctx, a *admission) error {
			c.Locals(contribSlot, a.slot.lend())
			return upgrade(c)
		})
	}
}

// contribConn calls fn with a connection that takes part in the hub's shutdown.
func (g *gate) contribConn(fn func(*websocket.Conn)) func(*websocket.Conn) {
	limit, away := int64(contribReadLimit), ws.StatusGoingAway
	if g.cfg.Hub != nil {
		limit, away = int64(g.cfg.Hub.MaxMessage()), g.cfg.Hub.ShutdownStatus()
	}
	return func(pooled *websocket.Conn) {
		c := *pooled
		end := &contribEnd{conn: &c, status: ws.StatusNormalClosure, away: away}
		lent, ok := c.Locals(contribSlot).(*loan)
		if ok {
			lent.over()
			defer lent.slot.release()
		}
		defer end.finish()
		defer func() {
			if p := recover(); p != nil {
				end.status = ws.StatusInternalError
				g.log.Error("websocket handler panicked", "stack", string(debug.Stack()))
			}
		}()
		c.SetReadLimit(limit)
		if !ok || lent.slot.reservation == nil || lent.slot.reservation.Adopt(end.shutdown) {
			fn(&c)
		}
	}
}

// contribEnd ends a contrib connection: when its handler returns, or before, at a shutdown.
type contribEnd struct {
	conn   *websocket.Conn
	status ws.Status // of the handler's goroutine
	away   ws.Status // a shutdown's

	mu   sync.Mutex
	over bool // the connection is fasthttp's again
}

// shutdown says goodbye, and gives the client a second to answer; with force it ends the reading.
func (e *contribEnd) shutdown(force bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return
	}
	if force {
		_ = e.conn.SetReadDeadline(time.Unix(1, 0))
		return
	}
	e.sayLocked(e.away)
	_ = e.conn.SetReadDeadline(time.Now().Add(time.Second))
}

// finish makes sure that the handle cannot write any more, and that a reader elsewhere ends.
func (e *contribEnd) finish() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	e.sayLocked(e.status)
	_ = e.conn.SetReadDeadline(time.Unix(1, 0))
}

func (e *contribEnd) sayLocked(status ws.Status) {
	payload := websocket.FormatCloseMessage(int(status), "")
	_ = e.conn.WriteControl(websocket.CloseMessage, payload, time.Now().Add(time.Second))
}
