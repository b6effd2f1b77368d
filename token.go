package wsx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/ws"
)

// authenticate finds out who the client is, and asks whether that one may connect.
func (g *gate) authenticate(c *fiber.Ctx, h *handshake, a *admission) error {
	if err := g.identify(c, h, a); err != nil {
		return err
	}
	if g.cfg.Hub != nil && g.cfg.Hub.Revoked(a.identity) {
		return g.unauthorized("a revoked token")
	}
	if g.cfg.Authorize != nil {
		if err := loggable(g.cfg.Authorize(c, a.identity)); err != nil {
			return refuse(fiber.StatusForbidden, "forbidden", "Config.Authorize: "+err.Error())
		}
	}
	return nil
}

// identify finds out who the client is: from what earlier handlers know, or from its token.
func (g *gate) identify(c *fiber.Ctx, h *handshake, a *admission) (err error) {
	switch {
	case g.cfg.Identify != nil:
		if a.identity, err = g.cfg.Identify(c); err == nil {
			err = auth.CheckSubject(a.identity.Subject)
		}
		if err = loggable(err); err != nil {
			return g.unauthorized("Config.Identify: " + err.Error())
		}
		a.identity.Subject, a.identity.ID = strings.Clone(a.identity.Subject), strings.Clone(a.identity.ID)
	case g.cfg.Auth != nil:
		token, from, err := auth.Extract(g.sources, g.cfg.AuthScheme, &tokenRequest{ctx: c, protocols: h.protocols})
		if err != nil {
			return refuse(fiber.StatusBadRequest, "invalid token", err.Error())
		}
		if token == "" && g.cfg.FirstMessage {
			a.unknown = true
			return nil
		}
		if token == "" {
			return g.unauthorized("no token in " + g.cfg.TokenLookup)
		}
		a.identity, err = g.who(c.UserContext(), strings.Clone(token))
		if err = loggable(err); err != nil {
			return g.unauthorized("token from " + from.String() + ": " + err.Error())
		}
	}
	return nil
}

// who asks whose a token is. What cannot be a subject is nobody's name, whoever says it.
func (g *gate) who(ctx context.Context, token string) (auth.Identity, error) {
	id, err := g.cfg.Auth.Authenticate(ctx, token)
	if err != nil {
		return auth.Identity{}, err
	}
	if err = auth.CheckSubject(id.Subject); err != nil {
		return auth.Identity{}, fmt.Errorf("its subject: %w", err)
	}
	return id, nil
}

// verify verifies a token that came over a live connection. Its error goes to the log here, where lines are counted.
func (g *gate) verify(ctx context.Context, token string) (auth.Identity, error) {
	id, err := g.who(ctx, token)
	if err != nil {
		if leftOut, ok := g.lines.take(time.Now()); ok {
			g.log.Info("websocket token refused", "reason", quoted(err.Error()), "left_out", leftOut)
		}
		return auth.Identity{}, errUnauthorized
	}
	return id, nil
}

// introduced returns what verifies the token of a first message, and takes a place among the subject's connections.
func (g *gate) introduced(a *admission) func(context.Context, string) (auth.Identity, error) {
	return func(ctx context.Context, token string) (id auth.Identity, err error) {
		if id, err = g.verify(ctx, token); err != nil || !a.unknown {
			return id, err
		}
		if g.cfg.Hub.Revoked(id) {
			return id, errRevoked
		}
		a.identity = auth.Identity{Subject: id.Subject}
		if g.caps.subject(a) != nil {
			return auth.Identity{}, ws.CloseError{Status: ws.StatusTryAgainLater, Reason: "too many connections"}
		}
		a.unknown = false
		return id, nil
	}
}

var (
	errUnauthorized = errors.New("wsx: unauthorized")
	errRevoked      = errors.New("wsx: a revoked token")
)

// unauthorized answers the same for every reason, so that nobody learns from it.
func (g *gate) unauthorized(reason string) error {
	return refuse(fiber.StatusUnauthorized, "unauthorized", reason).
		header(fiber.HeaderWWWAuthenticate, g.cfg.AuthScheme)
}

// loggable returns err with a text that is fit for a log. Those of the application often repeat what a client has sent.
func loggable(err error) error {
	if err == nil {
		return nil
	}
	return errors.New(quoted(err.Error()))
}

// tokenRequest is a request as package auth looks for tokens in it.
type tokenRequest struct {
	ctx       *fiber.Ctx
	protocols []string
}

// Header returns every field of that name, from the raw fields: fasthttp keeps one of some.
func (r *tokenRequest) Header(name string) []string {
	var values []string
	lower := strings.ToLower(name)
	for raw := r.ctx.Request().Header.RawHeaders(); len(raw) > 0; {
		var line []byte
		line, raw = nextLine(raw)
		field, value, ok := bytes.Cut(line, colon)
		if ok && equalName(field, lower) {
			values = append(values, string(bytes.Trim(value, " \t")))
		}
	}
	return values
}

// Cookie returns every cookie of that name. Only space and tab go from around a name: with more than that, a cookie
// that another host of the domain has set could take the name of one with the prefix "__Host-".
func (r *tokenRequest) Cookie(name string) []string {
	var values []string
	for _, line := range r.Header(fiber.HeaderCookie) {
		for pair := range strings.SplitSeq(line, ";") {
			key, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
			if ok && key == name {
				values = append(values, unquoteCookie(value))
			}
		}
	}
	return values
}

// unquoteCookie takes the pair of quotes off that may be around a value (RFC 6265, section 4.1.1).
func unquoteCookie(value string) string {
	if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// Query returns every query parameter of that name.
func (r *tokenRequest) Query(name string) []string {
	var values []string
	for _, v := range r.ctx.Context().QueryArgs().PeekMulti(name) {
		values = append(values, string(v))
	}
	return values
}

// Param returns the parameter of the route, unescaped.
func (r *tokenRequest) Param(name string) string {
	v, err := url.PathUnescape(r.ctx.Params(name))
	if err != nil {
		return ""
	}
	return v
}

// Protocols returns the offered subprotocols.
func (r *tokenRequest) Protocols() []string { return r.protocols }
