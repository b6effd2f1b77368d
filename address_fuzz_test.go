package wsx

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

var proxies = []string{"127.0.0.0/8", "10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"}

// FuzzForwardedAddr compares the walk with one that begins anew at each hop, over package net instead of net/netip.
func FuzzForwardedAddr(f *testing.F) {
	for _, s := range []string{"", "192.0.2.1", "6.6.6.6, 192.0.2.1, 10.1.2.3", "unknown, 10.0.0.1", "10.0.0.1, unknown", ",", " ,10.0.0.1",
		"::ffff:10.0.0.1", "[2001:db8::1]", "2001:DB8::1%eth0", "fe80::1%,10.0.0.1", "192.0.2.1:80", "010.0.0.1", "10.0.0.1\u00a0", "127.1"} {
		f.Add(s, "10.0.0.1")
		f.Add("192.0.2.1", s)
	}
	trusted, err := parseProxies(proxies)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		socket := netip.MustParseAddr("127.0.0.1")
		got := forwardedAddr(socket, trusted, []string{first, second})
		want := walkNaively(t, net.ParseIP("127.0.0.1"), strings.Split(first+","+second, ","))
		if !net.IP(got.AsSlice()).Equal(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		if got.Zone() != "" || got.Is4In6() {
			t.Errorf("%v counts apart from the same address in another form", got)
		}
		if key := limitKey(got); !key.IsValid() || !key.Contains(got) || key.Bits() != map[bool]int{true: 32, false: 64}[got.Is4()] {
			t.Errorf("%v counts as %v", got, key)
		}
	})
}

func walkNaively(t *testing.T, from net.IP, hops []string) net.IP {
	t.Helper()
	last := len(hops) - 1
	if last < 0 || !trustedNaively(t, from) {
		return from
	}
	text, zone, zoned := strings.Cut(strings.Trim(hops[last], " \t"), "%")
	hop := net.ParseIP(text)
	if hop == nil || zoned && (zone == "" || !strings.Contains(text, ":")) {
		return from
	}
	return walkNaively(t, hop, hops[:last])
}

func trustedNaively(t *testing.T, ip net.IP) bool {
	t.Helper()
	for _, p := range proxies {
		_, network, err := net.ParseCIDR(p)
		if err != nil {
			t.Fatal(err)
		}
		if network.Contains(ip) {
			return true
		}
	}
	return false
}
