package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const hostile = `<img src=x onerror="document.title='owned'">`

// findChromium returns a Chromium to run, or skips the test; with WSX_REQUIRE=all, or chromium among it, that fails.
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

// browser is a tab of a headless Chromium.
type browser struct {
	context.Context
	mu       sync.Mutex
	problems []string // errors in its console, blocked requests among them
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(findChromium(t)),
		chromedp.Flag("no-sandbox", true), // it would need rights that a container does not have
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	b := &browser{Context: tab}
	if err := chromedp.Listen(tab, b.listen); err != nil { // starts it
		t.Fatal(err)
	}
	return b
}

func (b *browser) listen(event any) {
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

func (b *browser) do(t *testing.T, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// eval returns what an expression is in the page.
func eval[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b, 20*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// clean fails the test when the page has complained.
func (b *browser) clean(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.problems) > 0 {
		t.Errorf("the page complains: %s", strings.Join(b.problems, "\n"))
	}
}

func prefer(scheme string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		return chromedp.Void{}, err
	}
}

// number is the value that the page shows for a metric.
func number(metric string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(".chart")]`+
		`.find((chart) => chart.querySelector("h3").textContent === %s)?.querySelector(".number").textContent ?? ""`, strconv.Quote(metric))
}

// inked is how many points of a metric's chart are drawn upon, beyond its grid.
func inked(metric string) string {
	return fmt.Sprintf(`(() => {
		const chart = [...document.querySelectorAll(".chart")].find((c) => c.querySelector("h3").textContent === %s);
		const canvas = chart?.querySelector("canvas");
		if (!canvas || canvas.width === 0) return 0;
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		let n = 0;
		for (let i = 0; i < data.length; i += 4) {
			const spread = Math.max(data[i], data[i+1], data[i+2]) - Math.min(data[i], data[i+1], data[i+2]);
			if (data[i+3] > 200 && spread > 60) n++;
		}
		return n;
	})()`, strconv.Quote(metric))
}

func readingNow(metric string, value float64, ago time.Duration) string {
	return fmt.Sprintf(`{"metric":%q,"value":%v,"ts":%q}`, metric, value, time.Now().Add(-ago).UTC().Format(time.RFC3339Nano))
}

func TestPageShowsWhatHappens(t *testing.T) {
	b := newBrowser(t)
	r := start(t, newDB(t))
	device := r.connect(t, "dev1")
	go func() { // answer the close frame at the end
		for {
			if _, _, err := device.Read(context.Background()); err != nil {
				return
			}
		}
	}()
	for i := range 60 { // four minutes of the past
		send(t, device, readingNow("cpu", float64(20+i), time.Duration(240-4*i)*time.Second))
	}
	send(t, device, readingNow(hostile, 1, 0))
	eventually(t, "the past is stored", func() bool { return r.totals().Stored == 61 })

	b.do(t, prefer("light"), chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+r.address+"/"))
	eventually(t, "the page is live", func() bool {
		return eval[string](t, b, `document.getElementById("state").textContent`) == "live"
	})
	eventually(t, "the newest value is there before anything new comes", func() bool { return eval[string](t, b, number("cpu")) == "79.0" })
	eventually(t, "the chart is filled from the database", func() bool { return eval[int](t, b, inked("cpu")) > 300 })

	for _, value := range []float64{33.5, 44.5} {
		send(t, device, readingNow("cpu", value, 0))
		want := fmt.Sprintf("%.1f", value)
		eventually(t, "the value moves to "+want, func() bool { return eval[string](t, b, number("cpu")) == want })
	}
	send(t, r.connect(t, "dev2"), readingNow("new_here", 7, 0))
	eventually(t, "a new device appears", func() bool { return eval[string](t, b, number("new_here")) == "7" })
	eventually(t, "the totals are right", func() bool {
		return eval[string](t, b, `document.getElementById("stored").textContent`) == "64" &&
			eval[string](t, b, `document.getElementById("connected").textContent`) == "2" &&
			eval[string](t, b, `document.getElementById("paused").textContent`) == "0" &&
			eval[string](t, b, `document.getElementById("dead-letters").textContent`) == "0" &&
			eval[string](t, b, `document.getElementById("unsettled").textContent`) == "0" &&
			eval[string](t, b, `document.getElementById("ack-ms").textContent`) != "–"
	})
	checkHostile(t, b)
	b.clean(t)
}

// checkHostile expects that a metric with HTML in its name is text and nothing else.
func checkHostile(t *testing.T, b *browser) {
	t.Helper()
	if got := eval[string](t, b, number(hostile)); got != "1" {
		t.Errorf("the hostile metric shows %q, want 1", got)
	}
	if n := eval[int](t, b, `document.querySelectorAll("img").length`); n != 0 {
		t.Errorf("%d images in the page", n)
	}
	if title := eval[string](t, b, `document.title`); title != "Telemetry" {
		t.Errorf("the title is %q", title)
	}
}

func TestPageFitsPhonesAndBothSchemes(t *testing.T) {
	b := newBrowser(t)
	r := start(t, newDB(t))
	if err := insert(r.store, []reading{{strings.Repeat("d", 200), strings.Repeat("m", 200), 1.5, time.Now()}}); err != nil {
		t.Fatal(err)
	}
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		b.do(t, prefer(scheme), chromedp.EmulateViewport(360, 740), chromedp.Navigate("http://"+r.address+"/"))
		eventually(t, "the device is shown", func() bool { return eval[string](t, b, number(strings.Repeat("m", 200))) == "1.5" })
		if width := eval[int](t, b, `document.documentElement.scrollWidth`); width > 360 {
			t.Errorf("%s: the page is %d wide on a screen of 360", scheme, width)
		}
		backgrounds[eval[string](t, b, `getComputedStyle(document.documentElement).backgroundColor`)] = true
	}
	if len(backgrounds) != 2 {
		t.Errorf("light and dark have the same background: %v", backgrounds)
	}
	b.clean(t)
}

func TestPageWithoutDevices(t *testing.T) {
	b := newBrowser(t)
	r := start(t, newDB(t))
	b.do(t, chromedp.Navigate("http://"+r.address+"/"))
	eventually(t, "it says that there is none", func() bool {
		return strings.Contains(eval[string](t, b, `document.body.innerText`), "No device yet")
	})
	send(t, r.connect(t, "dev1"), readingNow("a", 5, 0))
	eventually(t, "the first appears in its place", func() bool {
		return eval[string](t, b, number("a")) == "5" && !eval[bool](t, b, `document.body.innerText.includes("No device yet")`)
	})
	b.clean(t)
}

func TestPageComesBack(t *testing.T) {
	b := newBrowser(t)
	db := newDB(t)
	r := start(t, db)
	address := r.address
	b.do(t, chromedp.Navigate("http://"+address+"/"))
	state := func() string { return eval[string](t, b, `document.getElementById("state").textContent`) }
	eventually(t, "the page is live", func() bool { return state() == "live" })
	r.stop()
	eventually(t, "it says that it is not", func() bool { return state() == "offline" })
	r = startAt(t, options{db: db, demo: true, lifetime: time.Hour}, address)
	eventually(t, "it is live again", func() bool { return state() == "live" })
	send(t, r.connect(t, "dev1"), readingNow("a", 5, 0))
	eventually(t, "it shows what comes", func() bool { return eval[string](t, b, number("a")) == "5" })
}

// While another program has locked the database, the page says that it is away.
func TestPageSaysThatTheDatabaseIsAway(t *testing.T) {
	b := newBrowser(t)
	db := newDB(t)
	r := start(t, db)
	b.do(t, chromedp.Navigate("http://"+r.address+"/"))
	says := func() bool {
		return strings.Contains(eval[string](t, b, `document.body.innerText`), "database is away")
	}
	eventually(t, "the page is live", func() bool { return eval[string](t, b, `document.getElementById("state").textContent`) == "live" })
	if says() {
		t.Error("it says so while the database is there")
	}
	other, err := raw(newStore(t, db)).Begin()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says so", says)
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it does not say so any more", func() bool { return !says() })
	b.clean(t)
}
