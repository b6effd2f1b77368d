package wsx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/ws"
)

// checkVersions reads Config.Versions and VersionLookup. Its error says what to change.
func (g *gate) checkVersions() error {
	lookup := g.cfg.VersionLookup
	param, inPath := strings.CutPrefix(lookup, "param:")
	switch {
	case lookup != "" && lookup != "protocol" && (!inPath || param == ""):
		return errors.New(`Config.VersionLookup must be "protocol" or "param:NAME"`)
	case len(g.cfg.Versions) == 0:
		return nil
	case inPath:
		g.versionParam = param
		return nil
	}
	for _, v := range g.cfg.Versions {
		if !isToken([]byte(v)) {
			return fmt.Errorf("Config.Versions: %q is not a token of RFC 9110, so no client can offer it", v)
		}
	}
	g.protocols = append(slices.Clone(g.cfg.Versions), g.protocols...)
	return nil
}

// checkVersion has a client that speaks no version of the server's told so, once a browser can read it.
func (g *gate) checkVersion(c *fiber.Ctx, h *handshake, a *admission) {
	version := a.subprotocol
	if g.versionParam != "" {
		version = c.Params(g.versionParam)
	}
	if len(g.cfg.Versions) == 0 || slices.Contains(g.cfg.Versions, version) {
		return
	}
	a.refusal = &ws.CloseError{Status: ws.StatusUnsupportedVersion, Reason: "protocol version unsupported"}
	if a.subprotocol == "" {
		a.subprotocol = g.acceptable(h.protocols)
	}
}

// acceptable returns an offered subprotocol that holds no token, or "": browsers give up a connection without a word
// when they have offered some and get none.
func (g *gate) acceptable(offered []string) string {
	for _, p := range offered {
		if !strings.HasPrefix(p, bearerProtocol+".") && !slices.ContainsFunc(g.sources, func(s auth.Source) bool {
			return s.Kind == auth.Protocol && strings.HasPrefix(p, s.Name+".")
		}) {
			return p
		}
	}
	return ""
}
