package testkit

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a tab of a headless Chromium. Each of its steps may take [Patience].
type Browser struct {
	context.Context
	mu       sync.Mutex
	problems []string // errors in its console, blocked requests among them
}

// starts is how often Chromium is started until it runs. Rarely it crashes before it has a page. Why is not known: in
// some 700 starts, most of them beside busy processors, it did not.
const starts = 3

// OpenBrowser opens a tab that is closed with the end of the test. It skips the test where there is no Chromium; with
// WSX_REQUIRE=all, or chromium among it, that fails.
func OpenBrowser(t *testing.T) *Browser {
	t.Helper()
	path := findChromium(t)
	for left := starts - 1; ; left-- {
		b, err := startChromium(t, path)
		if err == nil {
			return b
		}
		if left == 0 {
			t.Fatal(err)
		}
		t.Logf("Chromium is started again: %v", err)
	}
}

func startChromium(t *testing.T, path string) (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("no-sandbox", true), // it would need rights that a container does not have
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &Browser{Context: ctx}
	return b, chromedp.Listen(ctx, b.listen) // starts it
}

func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const why = "no chromium, chromium-browser or google-chrome in PATH: the page is not tested"
	if required := os.Getenv("WSX_REQUIRE"); required == "all" || strings.Contains(required, "chromium") {
		t.Fatal(why)
	}
	t.Skip(why)
	return ""
}

func (b *Browser) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problems = append(b.problems, fmt.Sprint(e.ExceptionDetails.Text, " in ", e.ExceptionDetails.URL))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.problems = append(b.problems, e.Entry.Text)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.problems = append(b.problems, fmt.Sprint("console.error at ", e.Timestamp))
		}
	}
}

// Clean fails the test when the page has complained.
func (b *Browser) Clean(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.problems) > 0 {
		t.Errorf("the page complains: %s", strings.Join(b.problems, "\n"))
	}
}

// Do does one step after the other.
func (b *Browser) Do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, Patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// Eval returns what an expression is in the page, or what its promise comes to.
func Eval[T any](t *testing.T, b *Browser, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, Patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Prefer is a step after which the page is in a color scheme: "light" or "dark".
func Prefer(scheme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return chromedp.Void{}, err
	}
}

// Type types into what a selector finds. "\r" at the end is the Enter key.
func (b *Browser) Type(t *testing.T, selector, text string) {
	t.Helper()
	text, enter := strings.CutSuffix(text, "\r")
	area := Eval[bool](t, b, fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		e.focus();
		return e.tagName === "TEXTAREA";
	})()`, strconv.Quote(selector)))
	b.Do(t, chromedp.KeyEvent(text))
	switch {
	case enter && area: // whose script takes the key: so Chromium has no character of it
		b.Do(t, pressEnter)
	case enter:
		b.Do(t, chromedp.KeyEvent("\r"))
	}
}

func pressEnter(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
	for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeRawKeyDown, input.DispatchKeyEventTypeKeyUp} {
		_, err := cdp.Call(ctx, tab, input.DispatchKeyEvent, input.DispatchKeyEventParams{
			Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, NativeVirtualKeyCode: 13,
		})
		if err != nil {
			return chromedp.Void{}, err
		}
	}
	return chromedp.Void{}, nil
}
