package origin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fiberwsx/wsx/internal/origin"
)

// patterns are what the tables below are matched against.
var patterns = []string{
	"https://example.com",
	"https://*.example.org",
	"https://*.example.net:8443",
	"http://localhost:5173",
	"https://EXAMPLE.edu:443",
	"http://[2001:db8::1]:8080",
	"http://192.0.2.7",
	"https://xn--bcher-kva.example",
	"capacitor://localhost",
}

func mustParse(t testing.TB, patterns ...string) *origin.Matcher {
	t.Helper()
	m, err := origin.Parse(patterns)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var good = []string{
	"https://example.com",
	"https://example.com:443",
	"HTTPS://EXAMPLE.COM",
	"https://Example.com",
	"https://www.example.org",
	"https://a.b.c.example.org",
	"https://WWW.EXAMPLE.ORG:443",
	"https://example.org.example.org",
	"https://x.example.net:8443",
	"http://localhost:5173",
	"https://example.edu",
	"http://[2001:db8::1]:8080",
	"http://[2001:DB8:0:0:0:0:0:1]:8080",
	"http://192.0.2.7",
	"http://192.0.2.7:80",
	"https://xn--bcher-kva.example",
	"capacitor://localhost",
}

func TestMatchAcceptsWhatThePatternsName(t *testing.T) {
	m := mustParse(t, patterns...)
	for _, o := range good {
		if !m.Match(o) {
			t.Errorf("%q was refused", o)
		}
	}
}

// hostile are origins that come close to the patterns above, or to what a sloppy reader would take for them.
var hostile = []string{
	// other sites
	"https://evil.com", "https://evil-example.com", "https://example.com.evil.com", "https://evilexample.com",
	"https://example.co", "https://xample.com", "https://www.example.com", "https://example.community",
	"https://example.org", "https://evil-example.org", "https://evilexample.org", "https://example.org.evil.com",
	"https://www.example.org.evil.com", "https://xexample.org", "https://www-example.org",
	// other schemes and ports
	"http://example.com", "http://example.com:443", "https://example.com:80", "https://example.com:8443",
	"http://www.example.org", "https://x.example.net", "https://x.example.net:443", "http://localhost",
	"http://localhost:3000", "https://localhost:5173", "wss://example.com", "ws://localhost:5173", "ftp://example.com",
	"file://", "file:///etc/passwd", "data:text/html,x", "javascript:alert(1)", "blob:https://example.com/1",
	"capacitor://evil", "chrome-extension://example.com",
	// things that are no origin
	"", " ", "null", "NULL", "Null", "*", "undefined", "example.com", "//example.com", "https:example.com",
	"https:/example.com", "https:///example.com", "https://", "://example.com", "https//example.com",
	// more behind the host
	"https://example.com/", "https://example.com/path", "https://example.com?x", "https://example.com#x",
	"https://example.com\\", "https://evil.com/https://example.com", "https://evil.com#https://example.com",
	"https://evil.com?.example.org", "https://evil.com#.example.org", "https://evil.com/.example.org",
	"https://evil.com\\.example.org", "https://evil.com;.example.org", "https://evil.com,https://example.com",
	"https://example.com, https://evil.com", "https://example.com https://evil.com",
	// user names
	"https://user@example.com", "https://example.com@evil.com", "https://user:pass@example.com",
	"https://evil.com:443@example.com", "https://evil.com%40.example.org", "https://@example.com",
	// space, control bytes, escapes, other alphabets
	" https://example.com", "https://example.com ", "https://example.com\t", "https://example.com\n",
	"https://example.com\r\nX: y", "https://example.com\x00", "https://evil.com\x00.example.org",
	"https://exam\tple.com", "https://example%2ecom", "https://%65xample.com", "https://evil.com%00.example.org",
	"https://evil.com%2f.example.org", "https://ex\u00e4mple.com", "https://\uff45xample.com", "https://example\u3002com",
	"https://ex\u0430mple.com", "https://example.com\u200b", "https://\u212aexample.org", "https://b\u00fccher.example",
	"http://locAlho\u017ft:5173", "\ufeffhttps://example.com", "https://example\xff.com",
	// dots
	"https://example.com.", "https://www.example.org.", "https://.example.org", "https://..example.org",
	"https://a..example.org", "https://.a.example.org", "https://example..com", "https://.", "https://*.example.org",
	// ports
	"https://example.com:", "https://example.com:0", "https://example.com:0443", "https://example.com:+443",
	"https://example.com:-443", "https://example.com:443:443", "https://example.com:65979", "https://example.com:443x",
	"https://example.com: 443", "https://example.com:4294967739", "https://example.com:https",
	"https://example.com:00443", "https://www.example.org:8443", "https://evil.com:.example.org",
	// addresses
	"http://[2001:db8::1]", "http://[2001:db8::2]:8080", "http://[2001:db8::1%25eth0]:8080",
	"http://[2001:db8::1%eth0]:8080", "http://2001:db8::1:8080", "http://[2001:db8::1:8080", "http://2001:db8::1]:8080",
	"http://[[2001:db8::1]]:8080", "http://[192.0.2.7]", "http://[::ffff:192.0.2.7]", "http://[]:8080",
	"http://[2001:db8::1]x:8080", "http://[2001:db8::1]8080", "http://192.0.2.07", "http://192.0.519", "http://3221225991",
	"http://0xc0000207", "http://0xc0.0.2.7", "http://192.0.2.7.", "http://192.0.2.263", "http://192.0.2", "http://192.0.2.7.1",
	"http://[2001:db8::1].example.org", "https://[::1].example.org", "https://a.0x7f",
	// lengths
	"https://" + strings.Repeat("a", 64) + ".example.org",
	"https://" + strings.Repeat("a.", 130) + "example.org",
	"https://" + strings.Repeat("a", 1<<16) + ".example.org",
}

func TestMatchRefusesHostileOrigins(t *testing.T) {
	if len(hostile) < 60 {
		t.Fatalf("%d rows; there were more", len(hostile))
	}
	m := mustParse(t, patterns...)
	seen := map[string]bool{}
	for _, o := range hostile {
		if seen[o] {
			t.Errorf("%q stands in the table twice", o)
		}
		seen[o] = true
		if m.Match(o) {
			t.Errorf("%q was accepted", o)
		}
		for _, host := range []string{"example.com", "www.example.org", "localhost:5173", "[2001:db8::1]:8080", "192.0.2.7"} {
			if origin.SameHost(o, host, true) && !strings.HasSuffix(o, "://"+host) {
				t.Errorf("%q is the same host as %q", o, host)
			}
		}
	}
}

func TestLiterals(t *testing.T) {
	for _, tt := range []struct {
		patterns []string
		origin   string
		want     bool
	}{
		{nil, "https://example.com", false},
		{nil, "null", false},
		{[]string{"null"}, "null", true},
		{[]string{"null"}, "Null", false},
		{[]string{"null"}, "https://null", false},
		{[]string{"https://null"}, "null", false},
		{[]string{"*"}, "null", true},
		{[]string{"*"}, "https://example.com", true},
		{[]string{"*"}, "file://", true},
		{[]string{"https://example.com", "*"}, "https://other.example", true},
	} {
		if got := mustParse(t, tt.patterns...).Match(tt.origin); got != tt.want {
			t.Errorf("%q matches %q: %v, want %v", tt.patterns, tt.origin, got, tt.want)
		}
	}
}

func TestAllowsAny(t *testing.T) {
	if !mustParse(t, "https://example.com", "*").AllowsAny() {
		t.Error("* does not allow any")
	}
	if mustParse(t, "null", "https://*.example.com").AllowsAny() {
		t.Error("null and a wildcard allow any")
	}
	var none *origin.Matcher
	if none.AllowsAny() || none.Match("https://example.com") || (&origin.Matcher{}).Match("null") {
		t.Error("the nil or the zero Matcher matches")
	}
}

func TestSameHost(t *testing.T) {
	for _, tt := range []struct {
		origin, host string
		tls          bool
		want         bool
	}{
		{"https://example.com", "example.com", true, true},
		{"https://example.com", "example.com", false, true}, // TLS ended in front of the program
		{"http://example.com", "example.com", false, true},
		{"http://example.com", "example.com", true, false},
		{"HTTP://example.com", "example.com", true, false},
		{"http://example.com:443", "example.com:443", true, false},
		{"https://example.com", "EXAMPLE.com", false, true},
		{"https://example.com", "example.com:443", false, true},
		{"https://example.com:443", "example.com", false, true},
		{"http://example.com", "example.com:80", false, true},
		{"https://example.com", "example.com:80", false, false},
		{"http://example.com", "example.com:443", false, false},
		{"http://localhost:3000", "localhost:3000", false, true},
		{"http://localhost:3001", "localhost:3000", false, false},
		{"http://localhost", "localhost:3000", false, false},
		{"http://127.0.0.1:3000", "127.0.0.1:3000", false, true},
		{"http://127.0.0.1:3000", "localhost:3000", false, false},
		{"http://[::1]:3000", "[::1]:3000", false, true},
		{"http://[::1]:3000", "[0:0:0:0:0:0:0:1]:3000", false, true},
		{"http://[::1]", "[::1]", false, true},
		{"http://[::1]", "::1", false, false},
		{"http://[::ffff:192.0.2.7]", "192.0.2.7", false, false},
		{"https://www.example.com", "example.com", false, false},
		{"https://example.com", "www.example.com", false, false},
		{"https://example.com.evil.com", "example.com", false, false},
		{"null", "null", false, false},
		{"", "", false, false},
		{"https://example.com", "", false, false},
		{"https://example.com", "example.com.", false, false},
		{"https://example.com.", "example.com.", false, false},
		{"https://example.com", "example.com:", false, false},
		{"https://example.com", "example.com:0443", false, false},
		{"https://example.com", "user@example.com", false, false},
		{"https://user@example.com", "user@example.com", false, false},
		{"https://example.com", "example.com, example.com", false, false},
		{"https://example.com", "example.com/", false, false},
		{"https://example.com", " example.com", false, false},
		{"https://example.com", "https://example.com", false, false},
		{"https://exam ple", "exam ple", false, false},
		{"https://a%2eb", "a%2eb", false, false},
		{"file://example.com", "example.com", false, false},
		{"wss://example.com:443", "example.com:443", false, false},
		{"capacitor://localhost", "localhost", false, false},
	} {
		if got := origin.SameHost(tt.origin, tt.host, tt.tls); got != tt.want {
			t.Errorf("SameHost(%q, %q, %v) = %v", tt.origin, tt.host, tt.tls, got)
		}
	}
}

func TestParseSaysWhatToChange(t *testing.T) {
	for _, tt := range []struct{ pattern, say string }{
		{"", "leave it out"},
		{" ", "space"},
		{"example.com", `write "https://example.com"`},
		{"//example.com", `write "https://example.com"`},
		{"localhost:5173", `write "https://localhost:5173"`},
		{"*.example.com", `write "https://*.example.com"`},
		{"https://example.com/", `write "https://example.com"`},
		{"https://example.com/chat", `write "https://example.com"`},
		{"https://example.com?x=1", `write "https://example.com"`},
		{"https://example.com#top", `write "https://example.com"`},
		{`https://example.com\`, `write "https://example.com"`},
		{"https://me:pw@example.com", `write "https://example.com"`},
		{"wss://example.com", `write "https://example.com"`},
		{"ws://localhost:3000", `write "http://localhost:3000"`},
		{"*://example.com", "entry of its own"},
		{"https://*", "in front of the name"},
		{"https://*.*.example.com", "in front of the name"},
		{"https://www.*.com", "in front of the name"},
		{"https://*example.com", "in front of the name"},
		{"https://example.*", "in front of the name"},
		{"https://example.com:*", "in front of the name"},
		{"https://*.com", "top-level domain"},
		{"https://*.192.0.2.7", "wildcard in front of an address"},
		{"https://*.[::1]", "IPv6"},
		{"https://::1", "IPv6"},
		{"https://[::1", "IPv6"},
		{"https://[::1%eth0]", "IPv6"},
		{"https://example.com:", "1 to 65535"},
		{"https://example.com:0", "1 to 65535"},
		{"https://example.com:65536", "1 to 65535"},
		{"https://example.com:0443", "1 to 65535"},
		{"https://example.com.", `write "https://example.com"`},
		{"https://bücher.example", "punycode"},
		{"https://a.example,https://b.example", "one origin an entry"},
		{"https://a.example https://b.example", "one origin an entry"},
		{"https://", "has no host"},
		{"https:///x", "has no host"},
		{"https://a..b", "no valid host"},
		{"https://1.2.3", "no valid host"},
		{"NULL", "has no scheme"},
	} {
		m, err := origin.Parse([]string{"https://ok.example", tt.pattern})
		if err == nil || m != nil {
			t.Errorf("%q was accepted", tt.pattern)
		} else if !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%q: %q does not say %q", tt.pattern, err, tt.say)
		}
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	m := mustParse(t, patterns...)
	if n := testing.AllocsPerRun(100, func() {
		for _, o := range []string{"https://A.example.org", "https://evil.com", "http://[2001:db8::1]:8080", "https://a b"} {
			m.Match(o)
			origin.SameHost(o, "a.example.org:443", true)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func Example() {
	m, err := origin.Parse([]string{"https://*.example.com"})
	fmt.Println(err)
	fmt.Println(m.Match("https://chat.example.com"), m.Match("https://evil-example.com"))

	_, err = origin.Parse([]string{"example.com"})
	fmt.Println(err)
	// Output:
	// <nil>
	// true false
	// origin "example.com" has no scheme; write "https://example.com"
}
