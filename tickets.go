package wsx

import (
	"errors"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/auth"
)

// Tickets returns a handler of POST requests that answers an authenticated one with a ticket, for a client that cannot
// send its token with a WebSocket handshake:
//
//	tickets := auth.NewTickets()
//	app.Post("/ticket", wsx.Tickets(tickets, wsx.Config{Auth: jwt.HMAC(key)}))
//	app.Use("/ws", wsx.New(wsx.Config{Hub: h, Auth: tickets, TokenLookup: "query:ticket,protocol:wsx.ticket"}))
//
// The answer is {"ticket":"...","expires_in_ms":30000}, and is not to be cached. The ticket opens one connection, as
// whom the request was; that ends when the request's token would have.
//
// Of the configuration it takes Next, Hub (only to ask for revoked tokens), Auth, Identify, TokenLookup, AuthScheme,
// Authorize, Origins, OriginFunc, RequireOrigin, ErrorHandler and Logger, with the meaning that they have for [New]. It
// answers 405, 400, 403 and 401 as that does, 429 when the subject has too many unused tickets, 503 when all together
// have. It panics when the configuration cannot work.
func Tickets(t *auth.Tickets, config ...Config) fiber.Handler {
	cfg := configDefault(config)
	switch {
	case t == nil:
		panic("wsx: Tickets needs tickets: wsx.Tickets(auth.NewTickets(), wsx.Config{Auth: ...})")
	case cfg.Auth == nil && cfg.Identify == nil:
		panic("wsx: Tickets needs Config.Auth or Config.Identify: a ticket is for somebody who is known")
	case cfg.Auth == auth.Authenticator(t):
		panic("wsx: Tickets cannot have the same tickets as its Config.Auth: they would live for ever")
	}
	cfg.Refresh, cfg.FirstMessage = false, false
	g, err := compile(cfg)
	if err != nil {
		panic("wsx: " + err.Error())
	}
	return func(c *fiber.Ctx) (err error) {
		if g.cfg.Next != nil && g.cfg.Next(c) || passesBy(c) {
			return c.Next()
		}
		defer g.survive(c, &err)
		if err := g.ticket(c, t); err != nil {
			return g.answer(c, err)
		}
		return nil
	}
}

// ticket answers with a ticket, or says why not.
func (g *gate) ticket(c *fiber.Ctx, t *auth.Tickets) error {
	if c.Method() != fiber.MethodPost {
		return refuse(fiber.StatusMethodNotAllowed, "method not allowed", "not a POST").header(fiber.HeaderAllow, fiber.MethodPost)
	}
	h := parseHandshake(c.Request().Header.RawHeaders())
	if h.malformed || h.hosts != 1 || !isHost(h.host) {
		return refuse(fiber.StatusBadRequest, "malformed header", "a header field that RFC 9112 forbids, or not one Host")
	}
	if err := g.checkOrigin(c, &h); err != nil {
		return err
	}
	var a admission
	if err := g.authenticate(c, &h, &a); err != nil {
		return err
	}
	name, err := t.Issue(a.identity)
	switch {
	case errors.Is(err, auth.ErrTooManyTickets):
		return refuse(fiber.StatusTooManyRequests, "too many tickets", err.Error()).retryAfter(int(t.Lifetime().Seconds()))
	case errors.Is(err, auth.ErrTicketsFull):
		return refuse(fiber.StatusServiceUnavailable, "too many tickets", err.Error()).retryAfter(5)
	case err != nil:
		return g.unauthorized(err.Error())
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(struct {
		Ticket      string `json:"ticket"`
		ExpiresInMS int64  `json:"expires_in_ms"`
	}{name, t.Lifetime().Milliseconds()})
}
