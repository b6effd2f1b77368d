package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

const hostile = `<img src=x onerror="document.title='owned'">`

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
	b := testkit.OpenBrowser(t)
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
	testkit.Eventually(t, "the past is stored", func() bool { return r.totals().Stored == 61 })

	b.Do(t, testkit.Prefer("light"), chromedp.EmulateViewport(1280, 900), chromedp.Navigate("http://"+r.address+"/"))
	testkit.Eventually(t, "the page is live", func() bool {
		return testkit.Eval[string](t, b, `document.getElementById("state").textContent`) == "live"
	})
	testkit.Eventually(t, "the newest value is there before anything new comes", func() bool { return testkit.Eval[string](t, b, number("cpu")) == "79.0" })
	testkit.Eventually(t, "the chart is filled from the database", func() bool { return testkit.Eval[int](t, b, inked("cpu")) > 300 })

	for _, value := range []float64{33.5, 44.5} {
		send(t, device, readingNow("cpu", value, 0))
		want := fmt.Sprintf("%.1f", value)
		testkit.Eventually(t, "the value moves to "+want, func() bool { return testkit.Eval[string](t, b, number("cpu")) == want })
	}
	send(t, r.connect(t, "dev2"), readingNow("new_here", 7, 0))
	testkit.Eventually(t, "a new device appears", func() bool { return testkit.Eval[string](t, b, number("new_here")) == "7" })
	testkit.Eventually(t, "the totals are right", func() bool {
		return testkit.Eval[string](t, b, `document.getElementById("stored").textContent`) == "64" &&
			testkit.Eval[string](t, b, `document.getElementById("connected").textContent`) == "2" &&
			testkit.Eval[string](t, b, `document.getElementById("paused").textContent`) == "0" &&
			testkit.Eval[string](t, b, `document.getElementById("dead-letters").textContent`) == "0" &&
			testkit.Eval[string](t, b, `document.getElementById("unsettled").textContent`) == "0" &&
			testkit.Eval[string](t, b, `document.getElementById("ack-ms").textContent`) != "–"
	})
	checkHostile(t, b)
	b.Clean(t)
}

// checkHostile expects that a metric with HTML in its name is text and nothing else.
func checkHostile(t *testing.T, b *testkit.Browser) {
	t.Helper()
	if got := testkit.Eval[string](t, b, number(hostile)); got != "1" {
		t.Errorf("the hostile metric shows %q, want 1", got)
	}
	if n := testkit.Eval[int](t, b, `document.querySelectorAll("img").length`); n != 0 {
		t.Errorf("%d images in the page", n)
	}
	if title := testkit.Eval[string](t, b, `document.title`); title != "Telemetry" {
		t.Errorf("the title is %q", title)
	}
}

func TestPageFitsPhonesAndBothSchemes(t *testing.T) {
	b := testkit.OpenBrowser(t)
	r := start(t, newDB(t))
	if err := insert(r.store, []reading{{strings.Repeat("d", 200), strings.Repeat("m", 200), 1.5, time.Now()}}); err != nil {
		t.Fatal(err)
	}
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		b.Do(t, testkit.Prefer(scheme), chromedp.EmulateViewport(360, 740), chromedp.Navigate("http://"+r.address+"/"))
		testkit.Eventually(t, "the device is shown", func() bool { return testkit.Eval[string](t, b, number(strings.Repeat("m", 200))) == "1.5" })
		if width := testkit.Eval[int](t, b, `document.documentElement.scrollWidth`); width > 360 {
			t.Errorf("%s: the page is %d wide on a screen of 360", scheme, width)
		}
		backgrounds[testkit.Eval[string](t, b, `getComputedStyle(document.documentElement).backgroundColor`)] = true
	}
	if len(backgrounds) != 2 {
		t.Errorf("light and dark have the same background: %v", backgrounds)
	}
	b.Clean(t)
}

func TestPageWithoutDevices(t *testing.T) {
	b := testkit.OpenBrowser(t)
	r := start(t, newDB(t))
	b.Do(t, chromedp.Navigate("http://"+r.address+"/"))
	testkit.Eventually(t, "it says that there is none", func() bool {
		return strings.Contains(testkit.Eval[string](t, b, `document.body.innerText`), "No device yet")
	})
	send(t, r.connect(t, "dev1"), readingNow("a", 5, 0))
	testkit.Eventually(t, "the first appears in its place", func() bool {
		return testkit.Eval[string](t, b, number("a")) == "5" && !testkit.Eval[bool](t, b, `document.body.innerText.includes("No device yet")`)
	})
	b.Clean(t)
}

func TestPageComesBack(t *testing.T) {
	b := testkit.OpenBrowser(t)
	db := newDB(t)
	r := start(t, db)
	address := r.address
	b.Do(t, chromedp.Navigate("http://"+address+"/"))
	state := func() string { return testkit.Eval[string](t, b, `document.getElementById("state").textContent`) }
	testkit.Eventually(t, "the page is live", func() bool { return state() == "live" })
	r.stop()
	testkit.Eventually(t, "it says that it is not", func() bool { return state() == "offline" })
	r = startAt(t, options{db: db, demo: true, lifetime: time.Hour}, address)
	testkit.Eventually(t, "it is live again", func() bool { return state() == "live" })
	send(t, r.connect(t, "dev1"), readingNow("a", 5, 0))
	testkit.Eventually(t, "it shows what comes", func() bool { return testkit.Eval[string](t, b, number("a")) == "5" })
}

// While another program has locked the database, the page says that it is away.
func TestPageSaysThatTheDatabaseIsAway(t *testing.T) {
	b := testkit.OpenBrowser(t)
	db := newDB(t)
	r := start(t, db)
	b.Do(t, chromedp.Navigate("http://"+r.address+"/"))
	says := func() bool {
		return strings.Contains(testkit.Eval[string](t, b, `document.body.innerText`), "database is away")
	}
	testkit.Eventually(t, "the page is live", func() bool {
		return testkit.Eval[string](t, b, `document.getElementById("state").textContent`) == "live"
	})
	if says() {
		t.Error("it says so while the database is there")
	}
	other, err := raw(newStore(t, db)).Begin()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it says so", says)
	if err := other.Rollback(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it does not say so any more", func() bool { return !says() })
	b.Clean(t)
}

func TestPageIsAccessible(t *testing.T) {
	b := testkit.OpenBrowser(t)
	r := start(t, newDB(t))
	send(t, r.connect(t, "dev1"), readingNow("cpu", 5, 0))
	for _, scheme := range []string{"light", "dark"} {
		b.Do(t, testkit.Prefer(scheme), chromedp.Navigate("http://"+r.address+"/"))
		testkit.Eventually(t, "the reading is shown", func() bool { return testkit.Eval[string](t, b, number("cpu")) == "5.0" })
		testkit.Eval[bool](t, b, `document.getElementById("add").open = true`)
		for _, width := range []int64{1280, 360} {
			b.Do(t, chromedp.EmulateViewport(width, 740))
			b.Accessible(t, "banner", "main", "heading", "status", "image")
			b.Tabs(t)
		}
	}
}
