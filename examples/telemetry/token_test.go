package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func header(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, "127.0.0.1") }
}

func TestTokenIsGivenOnlyToThisMachine(t *testing.T) {
	r := start(t, newDB(t))
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		code   int
	}{
		{"as it is", func(*http.Request) {}, 200},
		{"localhost", host("localhost:3000"), 200},
		{"localhost in capitals, no port", host("LOCALHOST"), 200},
		{"IPv6 loopback", host("[::1]:3000"), 200},
		{"IPv6 loopback, no port", host("[::1]"), 200},
		{"another loopback address", host("127.1.2.3"), 200},
		{"another name", host("evil.example"), 403},
		{"a name that resolves to here", host("localhost.evil.example:3000"), 403},
		{"a name that begins like it", host("127.0.0.1.evil.example"), 403},
		{"another address", host("192.168.1.2:3000"), 403},
		{"any address", host("0.0.0.0:3000"), 403},
		{"Forwarded", header("Forwarded"), 403},
		{"X-Forwarded-For", header("X-Forwarded-For"), 403},
		{"X-Forwarded-Host", header("X-Forwarded-Host"), 403},
		{"X-Forwarded-Proto", header("X-Forwarded-Proto"), 403},
		{"x-forwarded-anything", header("x-forwarded-anything"), 403},
		{"X-Real-IP", header("X-Real-IP"), 403},
		{"Via", header("Via"), 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, body := r.get(t, "/api/token?device=dev1", tt.change)
			if code != tt.code {
				t.Fatalf("%d %s, want %d", code, body, tt.code)
			}
			if has := strings.Contains(body, `"token"`); has != (code == 200) {
				t.Errorf("the body is %s", body)
			}
		})
	}
}

func TestTokenIsNotGivenToOtherMachines(t *testing.T) {
	r := start(t, newDB(t))
	request := httptest.NewRequest(http.MethodGet, "http://localhost/api/token?device=dev1", nil)
	response, err := r.app.Test(request) // whose address is 0.0.0.0
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("%d, want 403", response.StatusCode)
	}
}

func TestTokenIsNotGivenWithoutDemo(t *testing.T) {
	r := startWith(t, options{db: newDB(t), lifetime: time.Hour})
	if code, body := r.get(t, "/api/token?device=dev1"); code != http.StatusForbidden {
		t.Errorf("%d %s, want 403", code, body)
	}
}

func TestTokenNeedsADevice(t *testing.T) {
	r := start(t, newDB(t))
	for _, query := range []string{"", "?device=", "?device=%20", "?device=a%00b", "?device=%3Fa", "?device=" + strings.Repeat("d", maxDevice+1)} {
		if code, body := r.get(t, "/api/token"+query); code != http.StatusBadRequest {
			t.Errorf("%.40q: %d %.200s, want 400", query, code, body)
		}
	}
	if code, body := r.get(t, "/api/token?device="+strings.Repeat("d", maxDevice)); code != http.StatusOK {
		t.Errorf("the longest name: %d %s", code, body)
	}
}

func TestMintedTokenIsTaken(t *testing.T) {
	db := newDB(t)
	r := start(t, db)
	var out strings.Builder
	if err := mint(options{db: db, lifetime: time.Hour, mint: "dev1"}, &out, quiet()); err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(out.String())
	c := dial(t, "ws://"+r.address+"/ingest", http.Header{"Authorization": {"Bearer " + token}})
	send(t, c, readingJSON("a", 1))
	testkit.Eventually(t, "it is stored", func() bool { return r.totals().Stored == 1 })
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"10.0.0.1:80": false, "[fe80::1]:80": false, "0.0.0.0:0": false, "": false, "localhost:80": false,
	} {
		if got := isLoopback(address); got != want {
			t.Errorf("isLoopback(%q) is %v", address, got)
		}
	}
	for name, want := range map[string]bool{
		"localhost": true, "LocalHost:3000": true, "127.9.9.9": true, "[::1]:1": true, "[::ffff:127.0.0.1]": true,
		"": false, "localhost:": false, "localhost:http": false, "localhost:1@x": false, "localhost.": false, "x.localhost": false,
	} {
		if got := isLocalHost(name); got != want {
			t.Errorf("isLocalHost(%q) is %v", name, got)
		}
	}
}
