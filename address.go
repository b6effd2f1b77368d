package wsx

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// clientAddr returns the address that limits count: the socket's, or, when that is a trusted proxy's, the last one in
// X-Forwarded-For that is none.
func (g *gate) clientAddr(c *fiber.Ctx) netip.Addr {
	addr := socketAddr(c.Context().RemoteAddr())
	trusted, header := g.trust(c.App())
	if len(trusted) == 0 || !within(trusted, addr) {
		return addr
	}
	r := tokenRequest{ctx: c}
	return forwardedAddr(addr, trusted, r.Header(header))
}

// forwardedAddr walks the hops from the right, from addr, which is trusted, to the first one that is not.
func forwardedAddr(addr netip.Addr, trusted []netip.Prefix, fields []string) netip.Addr {
	for _, field := range slices.Backward(fields) {
		for more := true; more; {
			i := strings.LastIndexByte(field, ',')
			last := strings.Trim(field[i+1:], " \t")
			more, field = i >= 0, field[:max(i, 0)]
			hop, err := netip.ParseAddr(last)
			if err != nil {
				return addr // what stands left of it is anybody's word
			}
			if addr = hop.Unmap().WithZone(""); !within(trusted, addr) {
				return addr
			}
		}
	}
	return addr
}

// trust returns the proxies to believe and the header that they write: the middleware's setting, else the app's.
func (g *gate) trust(app *fiber.App) ([]netip.Prefix, string) {
	if len(g.proxies) > 0 {
		return g.proxies, fiber.HeaderXForwardedFor
	}
	cfg := app.Config()
	if !cfg.EnableTrustedProxyCheck || len(cfg.TrustedProxies) == 0 {
		return nil, ""
	}
	header := cfg.ProxyHeader
	if header == "" {
		header = fiber.HeaderXForwardedFor
	}
	return g.appProxies(app), header
}

// appProxies reads an app's list once for each gate; what Fiber could not read is left out, as Fiber does.
func (g *gate) appProxies(app *fiber.App) []netip.Prefix {
	if known, ok := g.appTrusted.Load(app); ok {
		return known.([]netip.Prefix)
	}
	var all []netip.Prefix
	for _, s := range app.Config().TrustedProxies {
		if p, err := parseProxies([]string{s}); err == nil {
			all = append(all, p...)
		}
	}
	g.appTrusted.Store(app, all)
	return all
}

// appTrust is what clientAddr remembers of the settings of the apps that have the middleware.
type appTrust struct {
	appTrusted sync.Map // of *fiber.App, to []netip.Prefix
}

func socketAddr(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// addressText returns "" for a socket that has no IP address.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func within(networks []netip.Prefix, a netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// limitKey returns what limits count an address by: an IPv6 host owns its whole /64.
func limitKey(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
