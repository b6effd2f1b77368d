package wsx

import (
	"errors"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/ratelimit"
)

// refusal is why a handshake is not completed: what the client is told, and what the log is.
type refusal struct {
	status  int
	message string // for the client
	reason  string // for the log
	headers [][2]string
	stack   []byte // of a panic
}

func (r *refusal) Error() string { return r.reason }

func refuse(status int, message, reason string) *refusal {
	return &refusal{status: status, message: message, reason: reason}
}

func (r *refusal) header(name, value string) *refusal {
	r.headers = append(r.headers, [2]string{name, value})
	return r
}

func (r *refusal) retryAfter(seconds int) *refusal {
	return r.header(fiber.HeaderRetryAfter, strconv.Itoa(max(1, seconds)))
}

// upgradeRequired answers with what would be understood (RFC 9110, section 15.5.22; RFC 6455, section 4.4).
func upgradeRequired(message string) *refusal {
	return refuse(fiber.StatusUpgradeRequired, message, message).
		header(fiber.HeaderUpgrade, "websocket").
		header(fiber.HeaderConnection, "Upgrade").
		header(fiber.HeaderSecWebSocketVersion, "13")
}

// answer tells the log why, up to [linesOfRefusals], and the client what. The log has the route, because a path may
// hold a token.
func (g *gate) answer(c *fiber.Ctx, err error) error {
	var r *refusal
	if !errors.As(err, &r) {
		return err
	}
	g.logRefusal(c, r)
	g.takeTurn() // a client that sends many of them at once does not keep the others waiting
	for _, h := range r.headers {
		c.Set(h[0], h[1])
	}
	return g.cfg.ErrorHandler(c, fiber.NewError(r.status, r.message))
}

// survive answers for a callback that has panicked: fasthttp would not, and the process would end for all. It is to be
// deferred. What the panic says may be a secret, and goes nowhere.
func (g *gate) survive(c *fiber.Ctx, err *error) {
	if recover() == nil {
		return
	}
	r := refuse(fiber.StatusInternalServerError, "internal error", "a callback panicked")
	r.stack = debug.Stack()
	*err = fiber.ErrInternalServerError
	defer func() { _ = recover() }() // of the ErrorHandler
	*err = g.answer(c, r)
}

func (g *gate) logRefusal(c *fiber.Ctx, r *refusal) {
	leftOut, ok := g.lines.take(time.Now())
	if !ok {
		return
	}
	fields := make([]any, 0, 10)
	fields = append(fields, "status", r.status, "reason", r.reason,
		"route", c.Route().Path, "remote", quoted(c.Context().RemoteAddr().String()))
	if leftOut > 0 {
		fields = append(fields, "left_out", leftOut)
	}
	if r.stack != nil {
		g.log.Error("websocket callback crashed", append(fields, "stack", string(r.stack))...)
		return
	}
	g.log.Info("websocket handshake refused", fields...)
}

// linesOfRefusals is how many refusals stand in the log: who can send handshakes must not be able to fill a disk, or to
// keep the process busy with writing about them.
var linesOfRefusals = ratelimit.Rate{PerSecond: 10, Burst: 100}

// lines counts the lines about refusals.
type lines struct {
	mu      sync.Mutex
	bucket  ratelimit.Bucket
	leftOut int // since the last line
}

// take reports whether there may be one more, and how many were left out before it.
func (l *lines) take(now time.Time) (leftOut int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.bucket.Allow(now, linesOfRefusals) {
		l.leftOut++
		return 0, false
	}
	leftOut, l.leftOut = l.leftOut, 0
	return leftOut, true
}

// maxLogged is how many bytes of what a client chose may stand in a log.
const maxLogged = 256

// quoted makes what a client chose fit for a log.
func quoted(s string) string { return strconv.Quote(s[:min(len(s), maxLogged)]) }
