package wsx_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/wsxtest"
)

// tellIP makes a hub that tells each client the address that it counts by.
var tellIP = hub.Config{OnOpen: func(c *hub.Conn) error { return c.SendText(c.IP()) }}

// ipFor returns the address that the server sees for a request with these fields.
func ipFor(t *testing.T, addr string, fields ...string) string {
	t.Helper()
	resp, c := wsxtest.Exchange(t, addr, handshake("/ws", fields...))
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %s", resp.Status)
	}
	ip := c.ReadText()
	c.Close()
	return ip
}

func TestForwardedForCountsFromTrustedProxies(t *testing.T) {
	for _, tt := range []struct {
		name    string
		proxies []string
		fields  []string
		want    string
	}{
		{"nobody trusted", nil, []string{"+X-Forwarded-For: 192.0.2.1"}, "127.0.0.1"},
		{"another trusted", []string{"10.0.0.0/8"}, []string{"+X-Forwarded-For: 192.0.2.1"}, "127.0.0.1"},
		{"no field", []string{"127.0.0.1"}, nil, "127.0.0.1"},
		{"one hop", []string{"127.0.0.1"}, []string{"+X-Forwarded-For: 192.0.2.1"}, "192.0.2.1"},
		{"from the right", []string{"127.0.0.1"}, []string{"+X-Forwarded-For: 198.51.100.9, 192.0.2.1"}, "192.0.2.1"},
		{"over a second proxy", []string{"127.0.0.0/8", "10.1.0.0/16"}, []string{"+X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.1.2.3"}, "192.0.2.1"},
		{"several lines", []string{"127.0.0.1", "10.0.0.1"}, []string{"+X-Forwarded-For: 6.6.6.6", "+X-Forwarded-For: 192.0.2.1, 10.0.0.1"}, "192.0.2.1"},
		{"proxies alone", []string{"127.0.0.1", "10.0.0.0/8"}, []string{"+X-Forwarded-For: 10.0.0.7, 10.0.0.1"}, "10.0.0.7"},
		{"nonsense at the end", []string{"127.0.0.1"}, []string{"+X-Forwarded-For: 192.0.2.1, unknown"}, "127.0.0.1"},
		{"nonsense on the left", []string{"127.0.0.1"}, []string{"+X-Forwarded-For: <script>, 192.0.2.1"}, "192.0.2.1"},
		{"empty", []string{"127.0.0.1"}, []string{"+X-Forwarded-For:"}, "127.0.0.1"},
		{"IPv4 in IPv6", []string{"::ffff:127.0.0.1"}, []string{"+X-Forwarded-For: ::ffff:192.0.2.1"}, "192.0.2.1"},
		{"a network of IPv4 in IPv6", []string{"::ffff:127.0.0.0/104"}, []string{"+X-Forwarded-For: 192.0.2.1"}, "192.0.2.1"},
		{"IPv6", []string{"127.0.0.1"}, []string{"+X-Forwarded-For: 2001:DB8::1"}, "2001:db8::1"},
		{"another field", []string{"127.0.0.1"}, []string{"+X-Real-IP: 192.0.2.1", "+Forwarded: for=192.0.2.1"}, "127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			addr, _ := serveEcho(t, wsx.Config{TrustedProxies: tt.proxies}, tellIP)
			if got := ipFor(t, addr, tt.fields...); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestForwardedForOfTheApp takes Fiber's settings over where the middleware has none of its own.
func TestForwardedForOfTheApp(t *testing.T) {
	serveWith := func(cfg fiber.Config, own ...string) string {
		h := echoHub(tellIP)
		cfg.ReadTimeout = 5 * time.Second
		app := newApp(cfg)
		app.Use("/ws", wsx.New(wsx.Config{Hub: h, Logger: quiet, TrustedProxies: own}))
		return serve(t, app, h)
	}
	trusting := fiber.Config{EnableTrustedProxyCheck: true, TrustedProxies: []string{"127.0.0.1"}, ProxyHeader: "X-Client"}
	unchecked := fiber.Config{ProxyHeader: "X-Client"} // Fiber believes anybody then
	if got := ipFor(t, serveWith(trusting), "+X-Client: 6.6.6.6, 192.0.2.1", "+X-Forwarded-For: 6.6.6.6"); got != "192.0.2.1" {
		t.Errorf("by the app's settings: got %s", got)
	}
	if got := ipFor(t, serveWith(unchecked), "+X-Client: 192.0.2.1"); got != "127.0.0.1" {
		t.Errorf("without the app's check: got %s", got)
	}
	if got := ipFor(t, serveWith(trusting, "10.0.0.1"), "+X-Client: 192.0.2.1"); got != "127.0.0.1" {
		t.Errorf("with proxies of its own: got %s", got)
	}
}

// TestForwardedForOfEachApp: one middleware in two apps heeds the settings of each.
func TestForwardedForOfEachApp(t *testing.T) {
	h := echoHub(tellIP)
	middleware := wsx.New(wsx.Config{Hub: h, Logger: quiet})
	for _, tt := range []struct{ proxy, want string }{{"127.0.0.1", "192.0.2.1"}, {"10.0.0.1", "127.0.0.1"}} {
		app := newApp(fiber.Config{EnableTrustedProxyCheck: true, TrustedProxies: []string{tt.proxy}})
		app.Use("/ws", middleware)
		if got := ipFor(t, serve(t, app, h), "+X-Forwarded-For: 192.0.2.1"); got != tt.want {
			t.Errorf("with %s trusted: got %s, want %s", tt.proxy, got, tt.want)
		}
	}
}

func TestLimitsCountIPv6ByItsNetwork(t *testing.T) {
	addr, _ := serveEcho(t, wsx.Config{TrustedProxies: []string{"127.0.0.1"}, MaxConnsPerIP: 1})
	connect := func(ip string) int {
		resp, _ := wsxtest.Exchange(t, addr, handshake("/ws", "+X-Forwarded-For: "+ip)) // stays until the test ends
		return resp.StatusCode
	}
	for _, tt := range []struct {
		ip   string
		want int
	}{
		{"2001:db8:0:1::1", 101},
		{"2001:db8:0:1::2", 429},
		{"2001:db8:0:1:ffff:ffff:ffff:ffff", 429},
		{"2001:db8:0:2::1", 101},
		{"192.0.2.1", 101},
		{"::ffff:192.0.2.1", 429},
		{"192.0.2.2", 101},
		{"192.0.2.2, unknown", 101}, // nobody's word: the proxy's own address
		{"unknown", 429},
	} {
		if got := connect(tt.ip); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.ip, got, tt.want)
		}
	}
}
