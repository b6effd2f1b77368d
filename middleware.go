package wsx

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/origin"
	"github.com/fiberwsx/wsx/internal/turn"
	"github.com/fiberwsx/wsx/ws"
)

// New returns a handler that turns upgrade requests into connections of Config.Hub, and lets every other request pass
// to the next handler at no cost. It works under Use, Get and Group, with and without a path, with params, and in
// mounted apps; under Use("/ws") a path that goes on without a slash, like "/wsx", passes too.
//
// A refused handshake is answered before the 101, cheap checks first: 405, 400 and 426 for what is no valid handshake
// (RFC 6455, section 4.2), 503 while the hub drains or is full, 403 for the origin, 429 for the caps of the address,
// 400 and 401 for the token, 403 from Authorize, 429 for the cap of the subject, 400 from Bind; 500 where a callback
// panics. The reason is in the log.
//
// It panics with a sentence that says what to change when the configuration cannot work. What works and will hurt later
// is a warning in the log, once for each hub and app: a limit of open files that is not above the hub's MaxConns, a
// PingInterval over 60 s, an app without a ReadTimeout or with Prefork, and a fasthttp that Fiber v2 does not go with.
func New(config ...Config) fiber.Handler {
	cfg := configDefault(config)
	if cfg.Hub == nil {
		panic("wsx: New needs a hub: wsx.New(wsx.Config{Hub: hub.New(hub.Config{OnMessage: handle})})")
	}
	if !cfg.Hub.Handles() {
		panic("wsx: Config.Hub has no handler: set OnMessage, OnBatch or OnConn in its hub.Config, or call hub.On before wsx.New")
	}
	g, err := compile(cfg)
	if err != nil {
		panic("wsx: " + err.Error())
	}
	examineBuild(g.log)
	examineHub(cfg.Hub, g.log)
	return func(c *fiber.Ctx) error { return g.handle(c, g.upgrade) }
}

// gate decides who may connect.
type gate struct {
	cfg          Config
	log          *slog.Logger
	origins      *origin.Matcher
	sources      []auth.Source
	protocols    []string // the server's, in order of preference
	versionParam string   // of the route; "": the version is a subprotocol
	proxies      []netip.Prefix
	caps         *caps
	firstSeen    sync.Once
	lines        lines
	takeTurn     func()                                                         // of handshakes
	burst        turn.Burst                                                     // of those that are not refused
	renew        func(ctx context.Context, token string) (auth.Identity, error) // nil without Config.Refresh
	appTrust
}

// admission is what is known of a request that may become a connection. Its strings are copies.
type admission struct {
	identity    auth.Identity
	unknown     bool // the token is to come with the first message
	subprotocol string
	refusal     *ws.CloseError // of what is accepted only to be told so
	extensions  string         // the answer to the client's
	addr        netip.Addr
	key         []byte // of the handshake; borrowed from the request
	slot        *slot
}

// handle passes what is no upgrade on, refuses, or calls accept.
func (g *gate) handle(c *fiber.Ctx, accept func(*fiber.Ctx, *admission) error) (err error) {
	if g.cfg.Next != nil && g.cfg.Next(c) || passesBy(c) {
		return c.Next()
	}
	raw := c.Request().Header.RawHeaders()
	if !isUpgrade(raw) {
		if g.cfg.RequireUpgrade {
			return g.answer(c, upgradeRequired("upgrade required"))
		}
		return c.Next()
	}
	g.firstSeen.Do(func() { examineApp(c.App(), g.log) })
	defer g.survive(c, &err)
	a, err := g.admit(c, raw)
	if err != nil {
		return g.answer(c, err)
	}
	returned := false
	defer a.slot.releaseUnless(&returned)
	g.burst.Piece(g.takeTurn) // many that come at once do not keep the others waiting
	if err = accept(c, a); err != nil {
		a.slot.release()
	}
	returned = true
	return err
}

// admit runs every check in order. On failure nothing stays reserved.
func (g *gate) admit(c *fiber.Ctx, raw []byte) (*admission, error) {
	h := parseHandshake(raw)
	if err := h.check(c); err != nil {
		return nil, err
	}
	if host, ok := targetHost(c.Request().Header.RequestURI()); !ok {
		return nil, refuse(fiber.StatusBadRequest, "invalid request target", "neither a path nor a URL, or with a byte that none has")
	} else if host != nil {
		h.host = host // the Host field does not count then (RFC 9112, section 3.2.2)
	}
	a := &admission{addr: g.clientAddr(c), key: h.key, slot: &slot{}}
	if err := g.agree(&h, a); err != nil {
		return nil, err
	}
	returned := false
	defer a.slot.releaseUnless(&returned)
	err := g.reserve(c, &h, a)
	returned = true
	if err != nil {
		a.slot.release()
		return nil, err
	}
	return a, nil
}

// agree answers the extensions that the client offers.
func (g *gate) agree(h *handshake, a *admission) (err error) {
	if g.cfg.Hub == nil || len(h.extensions) == 0 {
		return nil
	}
	if a.extensions, err = g.cfg.Hub.Extensions(h.extensions...); err != nil {
		return refuse(fiber.StatusBadRequest, "invalid Sec-WebSocket-Extensions", err.Error())
	}
	return nil
}

func (g *gate) reserve(c *fiber.Ctx, h *handshake, a *admission) error {
	if err := g.reserveHub(a); err != nil {
		return err
	}
	if err := g.checkOrigin(c, h); err != nil {
		return err
	}
	if err := g.caps.address(a); err != nil {
		return err
	}
	if err := g.authenticate(c, h, a); err != nil {
		return err
	}
	if err := g.caps.subject(a); err != nil {
		return err
	}
	a.subprotocol = g.choose(h.protocols)
	g.checkVersion(c, h, a)
	return nil
}

func (g *gate) reserveHub(a *admission) error {
	if g.cfg.Hub == nil { // wsx.Contrib may have none
		return nil
	}
	r, err := g.cfg.Hub.Reserve()
	switch {
	case errors.Is(err, hub.ErrDraining):
		return refuse(fiber.StatusServiceUnavailable, "shutting down", err.Error()).retryAfter(1)
	case errors.Is(err, hub.ErrOverloaded):
		return refuse(fiber.StatusServiceUnavailable, "overloaded", err.Error()).retryAfter(5)
	case err != nil:
		return refuse(fiber.StatusServiceUnavailable, "too many connections", err.Error()).retryAfter(5)
	}
	a.slot.keep(r.Release)
	a.slot.reservation = r
	return nil
}

func (g *gate) checkOrigin(c *fiber.Ctx, h *handshake) error {
	if h.origins == 0 {
		if g.cfg.RequireOrigin {
			return refuse(fiber.StatusForbidden, "origin required", "no Origin header; see Config.RequireOrigin")
		}
		return nil
	}
	o := string(h.origin)
	switch {
	case h.origins > 1:
		return refuse(fiber.StatusForbidden, "origin not allowed", "more than one Origin header")
	case origin.SameHost(o, string(h.host), c.Context().IsTLS()), g.origins.Match(o):
		return nil
	case g.cfg.OriginFunc != nil && g.cfg.OriginFunc(o):
		return nil
	}
	return refuse(fiber.StatusForbidden, "origin not allowed",
		"origin "+quoted(o)+" is neither the host "+quoted(string(h.host))+" nor in Config.Origins")
}

// choose returns the server's favourite among the offered subprotocols, or "".
func (g *gate) choose(offered []string) string {
	for _, p := range g.protocols {
		if slices.Contains(offered, p) {
			return p
		}
	}
	return ""
}

// check refuses what is no valid handshake.
func (h *handshake) check(c *fiber.Ctx) error {
	switch {
	case !isGet(c.Request().Header.Method()):
		return refuse(fiber.StatusMethodNotAllowed, "method not allowed", "not a GET").
			header(fiber.HeaderAllow, fiber.MethodGet)
	case !c.Request().Header.IsHTTP11():
		return refuse(fiber.StatusBadRequest, "HTTP/1.1 required", "not HTTP/1.1")
	case h.body && (h.form || c.Request().IsBodyStream()): // not read to its end, and the rest would be taken for frames
		return refuse(fiber.StatusBadRequest, "no body allowed", "a body with parts, or with fiber.Config.StreamRequestBody").
			header(fiber.HeaderConnection, "close")
	case h.malformed:
		return refuse(fiber.StatusBadRequest, "malformed header", "a header field that RFC 9112 forbids")
	case h.hosts != 1 || !isHost(h.host):
		return refuse(fiber.StatusBadRequest, "exactly one Host required", strconv.Itoa(h.hosts)+" Host headers, or a bad one")
	case h.versions != 1 || string(h.version) != "13":
		return upgradeRequired("WebSocket version 13 required")
	case h.keys != 1 || !validKey(h.key):
		return refuse(fiber.StatusBadRequest, "invalid Sec-WebSocket-Key", "missing, repeated, or not 16 bytes of base64")
	case h.badProtocols:
		return refuse(fiber.StatusBadRequest, "invalid Sec-WebSocket-Protocol", "an empty, invalid or repeated subprotocol")
	default:
		return nil
	}
}

func isGet(method []byte) bool { return string(method) == fiber.MethodGet }
