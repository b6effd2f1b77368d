package wsx

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/internal/origin"
	"github.com/fiberwsx/wsx/internal/turn"
)

// Protocol is the subprotocol that every server knows, so that a browser that sends its token as one
// (new WebSocket(url, ["wsx.v1", "wsx.bearer." + token])) has one that can be answered.
const Protocol = "wsx.v1"

// Config says what is decided before the 101. What comes after it is the hub's.
type Config struct {
	// Next skips the middleware when it returns true.
	//
	// Optional. Default: nil
	Next func(c *fiber.Ctx) bool

	// Hub runs the connections.
	//
	// Required.
	Hub *hub.Hub

	// Origins are allowed besides the server's own host: exact origins, "https://*.example.com" for any subdomain, "*"
	// for all, "null" for the opaque one. A request without an Origin is not a browser's, and allowed.
	//
	// Optional. Default: nil, which is the same host only
	Origins []string

	// OriginFunc allows what Origins does not. It gets the header as it was sent.
	//
	// Optional. Default: nil
	OriginFunc func(origin string) bool

	// RequireOrigin refuses requests without an Origin.
	//
	// Optional. Default: false
	RequireOrigin bool

	// Auth verifies the token. Without it nobody is asked for one.
	//
	// Optional. Default: nil
	Auth auth.Authenticator

	// Identify says who the client is from what earlier handlers have verified, contrib/jwt for example, which leaves a
	// token in c.Locals("user"); its error, and a subject that none can be, is answered with 401. TokenLookup is not
	// read then, and Auth only verifies what comes over a live connection. It must not believe a header that a client
	// can send.
	//
	// Optional. Default: nil
	Identify func(c *fiber.Ctx) (auth.Identity, error)

	// TokenLookup says where a token may be, as in "header:Authorization,cookie:token"; also "protocol:wsx.bearer",
	// "query:NAME" (URLs reach logs) and "param:NAME".
	//
	// Optional. Default: "header:Authorization,protocol:wsx.bearer"
	TokenLookup string

	// AuthScheme is the scheme in the Authorization header.
	//
	// Optional. Default: "Bearer"
	AuthScheme string

	// Refresh lets a client renew its token on the live connection, with the text message
	// {"type":"auth","token":"..."}, which then reaches no handler: the connection ends when the new token does.
	// Another subject's token, or a bad one, closes with 4001. The answer is
	// {"type":"auth","ok":true,"expires_in_ms":n}. It needs Auth.
	//
	// Optional. Default: false
	Refresh bool

	// FirstMessage lets a client without a token in its request send it as its first message, as with Refresh, which it
	// implies: within 5 s and 4 KiB, else 4001. Until then the connection counts in the hub's caps and those of its
	// address, and no handler hears of it. It needs Auth, and goes with neither Identify nor Authorize, which decide on
	// requests: use the hub's OnOpen.
	//
	// Optional. Default: false
	FirstMessage bool

	// Authorize may refuse a client that is known; its error is answered with 403, and its text goes to the log.
	//
	// Optional. Default: nil
	Authorize func(c *fiber.Ctx, id auth.Identity) error

	// Bind makes a value of the request's parameters, query, header and cookies, for [Bound]; see [BindTo]. A request
	// that does not fit is answered with 400.
	//
	// Optional. Default: nil
	Bind Binder

	// Subprotocols are what the server speaks, in its order of preference; Protocol is always known.
	//
	// Optional. Default: nil
	Subprotocols []string

	// Versions are those of the application's protocol that the server speaks, in its order of preference. A client
	// that speaks none of them is accepted and closed with 4010 at once, because a browser can read that, and no
	// callback of the hub hears of it. Where VersionLookup is "protocol" they are subprotocols, as in "chat.v2", and
	// the one that the client offers is what [hub.Conn.Subprotocol] returns; they go before all others.
	//
	// Optional. Default: nil, which is any
	Versions []string

	// VersionLookup says where a client names its version: "protocol", or "param:NAME" for a parameter of the route, as
	// in "/:version/ws".
	//
	// Optional. Default: "protocol"
	VersionLookup string

	// MaxConnsPerIP is how many connections an address may have; IPv6 counts by /64. 0 or negative: no limit.
	//
	// Optional. Default: 0
	MaxConnsPerIP int

	// MaxConnsPerSubject is how many connections a subject may have. 0 or negative: no limit.
	//
	// Optional. Default: 0
	MaxConnsPerSubject int

	// HandshakeRate is how many handshakes a second an address may begin. 0 or negative: no limit.
	//
	// Optional. Default: 0
	HandshakeRate float64

	// HandshakeBurst is how many handshakes an address may begin at once.
	//
	// Optional. Default: 10
	HandshakeBurst int

	// TrustedProxies are addresses and networks whose X-Forwarded-For counts, walked from the right.
	//
	// Optional. Default: the app's own TrustedProxies, if it checks them
	TrustedProxies []string

	// RequireUpgrade answers a request that is no upgrade with 426 instead of going on to the next handler.
	//
	// Optional. Default: false
	RequireUpgrade bool

	// ErrorHandler answers a refused handshake; err is a *fiber.Error with the status and a text for the client. The
	// headers that belong to the status are set already.
	//
	// Optional. Default: the status with {"error":"..."}
	ErrorHandler fiber.ErrorHandler

	// Logger gets the reasons of refused handshakes, 100 at once and then 10 a second; a line behind others that were
	// left out says how many.
	//
	// Optional. Default: slog.Default()
	Logger *slog.Logger
}

// bearerProtocol is in front of a token that is offered as a subprotocol.
const bearerProtocol = "wsx.bearer"

// ConfigDefault is what a Config without any field means.
var ConfigDefault = Config{
	TokenLookup:    "header:Authorization,protocol:" + bearerProtocol,
	AuthScheme:     auth.DefaultScheme,
	HandshakeBurst: 10,
	ErrorHandler:   answerJSON,
}

func configDefault(config []Config) Config {
	cfg := ConfigDefault
	if len(config) > 0 {
		cfg = config[0]
	}
	if cfg.TokenLookup == "" {
		cfg.TokenLookup = ConfigDefault.TokenLookup
	}
	if cfg.AuthScheme == "" {
		cfg.AuthScheme = ConfigDefault.AuthScheme
	}
	if cfg.HandshakeBurst == 0 {
		cfg.HandshakeBurst = ConfigDefault.HandshakeBurst
	}
	if cfg.ErrorHandler == nil {
		cfg.ErrorHandler = ConfigDefault.ErrorHandler
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return cfg
}

func answerJSON(c *fiber.Ctx, err error) error {
	refusal := fiber.ErrInternalServerError
	errors.As(err, &refusal)
	return c.Status(refusal.Code).JSON(struct {
		Error string `json:"error"`
	}{refusal.Message})
}

// compile turns a Config into a gate. Its error says what to change.
func compile(cfg Config) (*gate, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	g := &gate{cfg: cfg, log: cfg.Logger, caps: newCaps(cfg)}
	g.takeTurn = new(turn.Turns).Take
	var err error
	if g.origins, err = origin.Parse(cfg.Origins); err != nil {
		return nil, fmt.Errorf("Config.Origins: %w", err)
	}
	if g.sources, err = auth.ParseLookup(cfg.TokenLookup); err != nil {
		return nil, fmt.Errorf("Config.TokenLookup: %w", err)
	}
	if g.origins.AllowsAny() && cfg.Auth != nil && hasCookie(g.sources) {
		return nil, errors.New(`Config.Origins has "*" and Config.TokenLookup a cookie: any site could then open a ` +
			"connection as your user; name the origins, or take the cookie out")
	}
	if g.origins.AllowsAny() && cfg.Identify != nil {
		return nil, errors.New(`Config.Origins has "*" and Config.Identify may rest on a cookie: any site could then open a ` +
			"connection as your user; name the origins, or decide in OriginFunc")
	}
	if g.proxies, err = parseProxies(cfg.TrustedProxies); err != nil {
		return nil, fmt.Errorf("Config.TrustedProxies: %w", err)
	}
	switch {
	case (cfg.Refresh || cfg.FirstMessage) && cfg.Auth == nil:
		return nil, errors.New("Config.Refresh and Config.FirstMessage need Config.Auth, which verifies the token")
	case cfg.FirstMessage && (cfg.Authorize != nil || cfg.Identify != nil):
		return nil, errors.New("Config.FirstMessage goes with neither Config.Authorize nor Config.Identify, which decide on " +
			"requests; decide in OnOpen of the hub")
	case cfg.Refresh || cfg.FirstMessage:
		g.renew = g.verify
	}
	if err := g.checkProtocols(); err != nil {
		return nil, err
	}
	g.protocols = append(slices.Clone(cfg.Subprotocols), protocolsOf(cfg.Hub)...)
	if err := g.checkVersions(); err != nil {
		return nil, err
	}
	return g, nil
}

// protocolsOf returns the subprotocols that are known without being configured.
func protocolsOf(h *hub.Hub) []string {
	if h == nil {
		return []string{Protocol}
	}
	return append(h.Subprotocols(), Protocol)
}

func hasCookie(sources []auth.Source) bool {
	return slices.ContainsFunc(sources, func(s auth.Source) bool { return s.Kind == auth.Cookie })
}

// parseProxies reads addresses and networks.
func parseProxies(list []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, s := range list {
		s = strings.TrimSpace(s)
		if p, err := netip.ParsePrefix(s); err == nil {
			if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 { // no address is looked for in that form
				p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
			}
			prefixes = append(prefixes, p.Masked())
			continue
		}
		a, err := netip.ParseAddr(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a network", s)
		}
		a = a.Unmap()
		prefixes = append(prefixes, netip.PrefixFrom(a, a.BitLen()))
	}
	return prefixes, nil
}
