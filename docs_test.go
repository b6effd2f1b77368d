package wsx_test

import (
	"context"
	"fmt"
	"go/ast"
	"net"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fiberwsx/wsx"
	"github.com/fiberwsx/wsx/auth"
	"github.com/fiberwsx/wsx/auth/jwt"
	"github.com/fiberwsx/wsx/batch"
	"github.com/fiberwsx/wsx/codec"
	"github.com/fiberwsx/wsx/hub"
	"github.com/fiberwsx/wsx/ratelimit"
	"github.com/fiberwsx/wsx/ws"
)

// documented returns the limits of docs/limits.md with their defaults, as they stand in the first two columns.
func documented(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	limits := make(map[string]string)
	for line := range strings.Lines(string(page)) {
		columns := strings.Split(line, "|")
		if len(columns) < 4 || strings.Contains(line, "|---|") {
			continue
		}
		name := strings.ReplaceAll(strings.TrimSpace(columns[1]), "`", "")
		if _, twice := limits[name]; twice && name != "limit" {
			t.Errorf("%s stands there twice", name)
		}
		limits[name] = strings.TrimSpace(columns[2])
	}
	return limits
}

// limitNames returns the names of a config's limits: its numbers and durations. Numbers of a type of their own are
// choices.
func limitNames(prefix string, config reflect.Type) (names []string) {
	for _, field := range reflect.VisibleFields(config) {
		name := prefix + "." + field.Name
		switch field.Type {
		case reflect.TypeFor[int](), reflect.TypeFor[int64](), reflect.TypeFor[float64](), reflect.TypeFor[time.Duration]():
			names = append(names, name)
		case reflect.TypeFor[hub.Compression]():
			names = append(names, limitNames(name, field.Type)...)
		}
	}
	return names
}

func TestEveryLimitIsDocumented(t *testing.T) {
	limits := documented(t)
	for prefix, config := range map[string]reflect.Type{
		"hub.Config": reflect.TypeFor[hub.Config](), "wsx.Config": reflect.TypeFor[wsx.Config](),
		"batch.Config": reflect.TypeFor[batch.Config](),
	} {
		names := limitNames(prefix, config)
		if len(names) < 4 {
			t.Errorf("%s has only the limits %v", prefix, names)
		}
		for _, name := range names {
			if _, ok := limits[name]; !ok {
				t.Errorf("docs/limits.md does not name %s", name)
			}
		}
	}
}

// TestDocumentedDefaults compares what the page says with what the code does.
func TestDocumentedDefaults(t *testing.T) {
	actual := map[string]float64{ // durations in nanoseconds
		"batch.Config.Lanes": float64(max(2, runtime.GOMAXPROCS(0))),
		"auth.MaxToken":      auth.MaxToken, "auth.MaxSubject": auth.MaxSubject, "auth.MinStaticToken": auth.MinStaticToken,
		"auth.MaxTicketLife": float64(auth.MaxTicketLife),
		"jwt.DefaultLeeway":  float64(jwt.DefaultLeeway), "ratelimit.DefaultMaxKeys": ratelimit.DefaultMaxKeys,
		"ws.MaxReason": ws.MaxReason, "codec.MaxDepth": codec.MaxDepth, "codec.MaxID": codec.MaxID,
	}
	onMessage := hub.New(hub.Config{Logger: quiet, OnMessage: func(*hub.Conn, hub.Message) error { return nil }})
	onBatch := func(context.Context, *hub.Batch) error { return nil }
	shared := hub.New(hub.Config{Logger: quiet, OnBatch: onBatch})
	perConn := hub.New(hub.Config{Logger: quiet, OnBatch: onBatch, BatchPer: hub.PerConn})
	batcher := batch.New(batch.Config{}, func(context.Context, *batch.Batch[int]) error { return nil })
	settings(actual, "hub.Config", setting(onMessage, "cfg"))
	settings(actual, "hub.Config.Compression", setting(onMessage, "cfg", "Compression"))
	settings(actual, "wsx.Config", reflect.ValueOf(wsx.ConfigDefault))
	settings(actual, "batch.Config", setting(batcher, "cfg"))
	actual["hub.Config.PingInterval"] = number(setting(onMessage, "monitor", "interval"))
	actual["hub.Config.PongTimeout"] = number(setting(onMessage, "monitor", "timeout"))
	actual["hub.Config.Rate with OnBatch"] = number(setting(shared, "cfg", "Rate"))
	actual["batch.Config.MaxItems with hub.PerConn"] = number(setting(perConn, "cfg", "Batch", "MaxItems"))
	actual["batch.Config.MaxBytes with hub.PerConn"] = number(setting(perConn, "cfg", "Batch", "MaxBytes"))
	servesWith(t, actual)

	limits := documented(t)
	for name, want := range actual {
		text, ok := limits[name]
		if !ok {
			t.Errorf("docs/limits.md does not name %s", name)
			continue
		}
		if got, err := quantity(text); err != nil || got != want {
			t.Errorf("%s: the page says %q (%v, %v), the code %v", name, text, got, err, want)
		}
	}
}

// setting returns a field of what v points to, and of its fields; they need not be exported.
func setting(v any, path ...string) reflect.Value {
	r := reflect.ValueOf(v)
	for _, name := range path {
		r = reflect.Indirect(r).FieldByName(name)
	}
	return r
}

// settings adds the limits of a config.
func settings(to map[string]float64, prefix string, config reflect.Value) {
	for _, name := range limitNames(prefix, config.Type()) {
		field := strings.TrimPrefix(name, prefix+".")
		if _, known := to[name]; !known && !strings.Contains(field, ".") {
			to[name] = number(config.FieldByName(field))
		}
	}
}

func number(v reflect.Value) float64 {
	if v.CanFloat() {
		return v.Float()
	}
	return float64(v.Int())
}

// servesWith adds what Serve sets.
func servesWith(t *testing.T, to map[string]float64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close() // so that Serve returns
	app := newApp()
	app.Server().ReadTimeout = 0
	_ = wsx.Serve(app, ln)
	to["fiber.Config.ReadTimeout"] = float64(app.Server().ReadTimeout)
	to["fiber.Config.IdleTimeout"] = float64(app.Server().IdleTimeout)
	to["body"] = float64(app.Server().HeaderReceived(nil).ReadTimeout)
}

var quantities = regexp.MustCompile(`^([\d,.]+)(?: (KiB|MiB|ms|s|min))?$`)

// quantity reads a default: a number with or without a unit, off (0), or GOMAXPROCS, which is 2 at least.
func quantity(text string) (float64, error) {
	switch text {
	case "off":
		return 0, nil
	case "GOMAXPROCS":
		return float64(max(2, runtime.GOMAXPROCS(0))), nil
	}
	m := quantities.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%q is no quantity", text)
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(m[1], ",", ""), 64)
	unit := map[string]float64{
		"": 1, "KiB": 1 << 10, "MiB": 1 << 20,
		"ms": float64(time.Millisecond), "s": float64(time.Second), "min": float64(time.Minute),
	}[m[2]]
	return n * unit, err
}

// TestNamedTestsExist checks that every test that SECURITY.md names is one.
func TestNamedTestsExist(t *testing.T) {
	declared := declaredTests(t)
	page, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`(Test\\w+)`").FindAllSubmatch(page, -1)
	if len(named) < 30 {
		t.Errorf("found only %d names", len(named))
	}
	for _, m := range named {
		if !declared[string(m[1])] {
			t.Errorf("SECURITY.md names %s, which is no test", m[1])
		}
	}
}

// declaredTests returns the names of the functions in all test files.
func declaredTests(t *testing.T) map[string]bool {
	t.Helper()
	declared := make(map[string]bool)
	for _, f := range goFiles(t) {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && f.test() {
				declared[fn.Name.Name] = true
			}
		}
	}
	return declared
}
