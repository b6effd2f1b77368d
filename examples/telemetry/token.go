package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/gofiber/fiber/v2"
)

// signer makes the tokens that /ingest takes.
type signer struct {
	key      []byte
	lifetime time.Duration
}

// token returns a token for a device, good from now for the signer's lifetime.
func (s signer) token(device string) (string, error) {
	return jwt.Sign(s.key, jwt.Claims{Subject: device, Expires: time.Now().Add(s.lifetime)})
}

// mint prints a token: how a device gets one where -demo is off.
func mint(o options, out io.Writer, log *slog.Logger) error {
	key, err := loadKey(keyFile(o.db), log)
	if err != nil {
		return err
	}
	token, err := signer{key, o.lifetime}.token(o.mint)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

// getToken gives a token for any device to a program on this machine, which could read the key as well. Everything
// that could have come from elsewhere, through a proxy or a web page of another site, is refused.
func (s *server) getToken(c *fiber.Ctx) error {
	if why := s.refuseToken(c); why != "" {
		s.log.Warn("token refused", "why", why, "from", c.Context().RemoteAddr())
		return fiber.NewError(fiber.StatusForbidden, why)
	}
	device := c.Query("device")
	if err := checkDevice(device); err != nil {
		return fiber.NewError(fiber.StatusBadRequest, "device "+err.Error())
	}
	token, err := s.signer.token(device)
	if err != nil {
		return err
	}
	s.log.Warn("token given, as -demo allows", "device", device, "good_for", s.signer.lifetime)
	return c.JSON(fiber.Map{"token": token})
}

// refuseToken says why the request gets no token; "" when it may have one.
func (s *server) refuseToken(c *fiber.Ctx) string {
	switch {
	case !s.demo:
		return "tokens are given here only with -demo"
	case !isLoopback(c.Context().RemoteAddr().String()):
		return "tokens are given only to this machine"
	case forwarded(c):
		return "tokens are not given through a proxy"
	case !isLocalHost(string(c.Request().Header.Host())):
		return "tokens are given only at localhost or a loopback address"
	}
	return ""
}

// isLoopback reports whether HOST:PORT is an address of this machine alone.
func isLoopback(hostport string) bool {
	address, err := netip.ParseAddrPort(hostport)
	return err == nil && address.Addr().Unmap().IsLoopback()
}

// forwarded reports whether the request shows that it came through a proxy.
func forwarded(c *fiber.Ctx) (yes bool) {
	c.Request().Header.VisitAll(func(key, _ []byte) {
		name := strings.ToLower(string(key))
		if name == "forwarded" || strings.HasPrefix(name, "x-forwarded") || name == "x-real-ip" || name == "via" {
			yes = true
		}
	})
	return yes
}

// isLocalHost reports whether a Host header names this machine: localhost or a loopback address, with any port. A
// page that has its own name resolve to 127.0.0.1 still sends that name.
func isLocalHost(host string) bool {
	name := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if h, port, err := net.SplitHostPort(host); err == nil {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return false
		}
		name = h
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.Unmap().IsLoopback()
}
