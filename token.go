package wsx

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/auth"
)

// authenticate finds the token, has it verified, and asks Authorize.
func (g *gate) authenticate(c *fiber.Ctx, h *handshake, a *admission) error {
	if g.cfg.Auth != nil {
		token, from, err := auth.Extract(g.sources, g.cfg.AuthScheme, &tokenRequest{ctx: c, protocols: h.protocols})
		if err != nil {
			return refuse(fiber.StatusBadRequest, "invalid token", err.Error())
		}
		if token == "" {
			return g.unauthorized("no token in " + g.cfg.TokenLookup)
		}
		a.identity, err = g.cfg.Auth.Authenticate(c.UserContext(), strings.Clone(token))
		if err != nil {
			return g.unauthorized("token from " + from.String() + ": " + err.Error())
		}
	}
	if g.cfg.Authorize != nil {
		if err := g.cfg.Authorize(c, a.identity); err != nil {
			return refuse(fiber.StatusForbidden, "forbidden", "Config.Authorize: "+err.Error())
		}
	}
	return nil
}

// unauthorized answers the same for every reason, so that nobody learns from it.
func (g *gate) unauthorized(reason string) error {
	return refuse(fiber.StatusUnauthorized, "unauthorized", reason).
		header(fiber.HeaderWWWAuthenticate, g.cfg.AuthScheme)
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
		field, value, ok := strings.Cut(string(line), ":")
		if ok && equalName([]byte(field), lower) {
			values = append(values, strings.Trim(value, " \t"))
		}
	}
	return values
}

// Cookie returns every cookie of that name.
func (r *tokenRequest) Cookie(name string) []string {
	var values []string
	for _, line := range r.Header(fiber.HeaderCookie) {
		for pair := range strings.SplitSeq(line, ";") {
			key, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
			if ok && key == name {
				values = append(values, strings.Trim(value, `"`))
			}
		}
	}
	return values
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
