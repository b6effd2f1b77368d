package origin_test

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/internal/origin"
)

// The oracle reads the same language by other means: a regular expression for the form, net/url for the parts,
// net/netip for the addresses, and text for the comparison.
var (
	form   = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(:[1-9][0-9]{0,4})?$`)
	labels = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*$`)
	number = regexp.MustCompile(`(^|\.)([0-9]+|0[xX][0-9A-Fa-f]*)$`)
)

// canonical returns scheme://host:port in lower case, "" for what is no origin.
func canonical(text string) string {
	if !form.MatchString(text) {
		return ""
	}
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	addr, err := netip.ParseAddr(host)
	switch {
	case strings.Contains(u.Host, "["):
		if err != nil || !strings.Contains(host, ":") {
			return ""
		}
		host = addr.StringExpanded()
	case len(host) > 253 || !labels.MatchString(host):
		return ""
	case number.MatchString(host) && err != nil:
		return ""
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return ""
	}
	return u.Scheme + "://" + host + ":" + port
}

func naiveMatch(text string) bool {
	c := canonical(text)
	if c == "" {
		return false
	}
	for _, p := range patterns {
		if front, back, ok := strings.Cut(p, "*"); ok {
			if !strings.Contains(strings.TrimPrefix(back, "."), ":") {
				back += ":443"
			}
			if strings.HasPrefix(c, front) && strings.HasSuffix(c, back) {
				return true
			}
		} else if c == canonical(p) {
			return true
		}
	}
	return false
}

func FuzzMatch(f *testing.F) {
	for _, o := range append(append([]string{}, good...), hostile...) {
		if len(o) < 1024 {
			f.Add(o)
		}
	}
	m := mustParse(f, patterns...)
	f.Fuzz(func(t *testing.T, o string) {
		if got, want := m.Match(o), naiveMatch(o); got != want {
			t.Errorf("Match(%q) = %v, the oracle says %v", o, got, want)
		}
	})
}

func FuzzSameHost(f *testing.F) {
	for _, o := range append(append([]string{}, good...), hostile...) {
		if _, host, _ := strings.Cut(o, "://"); len(o) < 1024 {
			f.Add(o, host, false)
			f.Add(o, "example.com:443", true)
		}
	}
	f.Fuzz(func(t *testing.T, o, host string, tls bool) {
		scheme, _, _ := strings.Cut(strings.ToLower(o), "://")
		c := canonical(o)
		want := c != "" && c == canonical(scheme+"://"+host) && (scheme == "https" || scheme == "http" && !tls)
		if got := origin.SameHost(o, host, tls); got != want {
			t.Errorf("SameHost(%q, %q, %v) = %v, the oracle says %v", o, host, tls, got, want)
		}
	})
}

// FuzzParse holds the reader of patterns to its promise: whatever it takes can match, and whatever it refuses it
// explains.
func FuzzParse(f *testing.F) {
	for _, p := range append(append([]string{}, patterns...), hostile...) {
		if len(p) < 1024 {
			f.Add(p)
		}
	}
	f.Fuzz(func(t *testing.T, p string) {
		m, err := origin.Parse([]string{p})
		if err != nil {
			if !strings.ContainsAny(err.Error(), ";:") || m != nil {
				t.Errorf("%q: %v", p, err)
			}
			return
		}
		if o := strings.Replace(p, "*.", "a.", 1); len(o) < 250 && !m.Match(o) {
			t.Errorf("%q does not match %q", p, o)
		}
	})
}
