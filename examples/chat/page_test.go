package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/fiberwsx/wsx/examples/internal/testkit"
	"github.com/fiberwsx/wsx/ws"
)

// what would run, if anything that people write could.
const (
	script = `<script>document.title = "owned"</script>`
	image  = `<img src=x onerror="document.title = 'owned'">`
)

// newestInView says whether the log shows its end.
const newestInView = `(() => {
	const { scrollHeight, scrollTop, clientHeight } = document.getElementById("log");
	return scrollHeight - scrollTop - clientHeight < 2;
})()`

// page is a tab with the chat in it.
type page struct{ *testkit.Browser }

func openPage(t *testing.T) *page {
	t.Helper()
	return &page{testkit.OpenBrowser(t)}
}

// enterPage logs in by keyboard, from an empty page.
func (b *page) enterPage(t *testing.T, r *running, name string) {
	t.Helper()
	b.Do(t, chromedp.Navigate("http://"+r.address+"/"))
	testkit.Eventually(t, "the login has the focus", func() bool { return testkit.Eval[string](t, b.Browser, `document.activeElement.id`) == "name" })
	b.Type(t, "#name", name+"\r")
	b.live(t)
}

func (b *page) live(t *testing.T) {
	t.Helper()
	testkit.Eventually(t, "the page is live", func() bool {
		return testkit.Eval[string](t, b.Browser, `document.getElementById("state").textContent`) == "live"
	})
}

// lines are the texts of the log, those that are not sent yet in brackets.
func (b *page) lines(t *testing.T) []string {
	t.Helper()
	return testkit.Eval[[]string](t, b.Browser, `[...document.querySelectorAll("#log .line")].map((line) => {
		const text = line.querySelector(".who").textContent + ": " + line.querySelector(".text").textContent;
		return line.classList.contains("pending") ? "[" + text + "]" : text;
	})`)
}

func (b *page) shows(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	holds := func() bool { got = b.lines(t); return slices.Equal(got, want) }
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("the page shows %q, want %q", got, want)
		}
	}
}

func (b *page) text(t *testing.T, id string) string {
	t.Helper()
	return testkit.Eval[string](t, b.Browser, `document.getElementById(`+strconv.Quote(id)+`).innerText`)
}

// TestTwoTabsAndARestart is a conversation of two people whose server is restarted, forgets everything, and has another
// key than before.
func TestTwoTabsAndARestart(t *testing.T) {
	ada, bob := openPage(t), openPage(t)
	r := start(t)
	ada.enterPage(t, r, "ada")
	bob.enterPage(t, r, "bob")
	testkit.Eventually(t, "ada sees bob", func() bool { return ada.text(t, "people") == "ada (you)\nbob" })
	ada.Type(t, "#text", script)
	testkit.Eventually(t, "bob sees ada type", func() bool { return bob.text(t, "typing") == "ada is typing" })
	if got := ada.text(t, "typing"); got != "" {
		t.Errorf("ada sees %q", got)
	}
	ada.Type(t, "#text", "\r")
	bob.shows(t, "ada: "+script)
	if got := bob.text(t, "typing"); got != "" {
		t.Errorf("then bob sees %q", got)
	}
	bob.Type(t, "#text", image+"\r")
	before := []string{"ada: " + script, "bob: " + image}
	ada.shows(t, before...)
	bob.shows(t, before...)
	ada.Clean(t)
	bob.Clean(t)

	r.stop()
	testkit.Eventually(t, "ada is offline", func() bool { return ada.text(t, "state") == "offline" })
	testkit.Eventually(t, "bob is offline", func() bool { return bob.text(t, "state") == "offline" })
	ada.Type(t, "#text", "are you there?\r")
	ada.shows(t, append(before, "[ada: are you there?]")...)
	startAt(t, r.address, newKey())
	ada.live(t)
	bob.live(t)
	before = append(before, "ada: are you there?")
	ada.shows(t, before...)
	bob.shows(t, before...)
	for i := range 3 {
		text := fmt.Sprint("after ", i)
		bob.Type(t, "#text", text+"\r")
		before = append(before, "bob: "+text)
		ada.shows(t, before...)
	}
	bob.shows(t, before...)
	ada.harmless(t)
	bob.harmless(t)
}

// harmless fails the test when something that was written has become a part of the page, or has run.
func (b *page) harmless(t *testing.T) {
	t.Helper()
	title := testkit.Eval[string](t, b.Browser, `document.title`)
	n := testkit.Eval[int](t, b.Browser, `document.querySelectorAll("#chat img, #chat script").length`)
	if title != "Chat" || n != 0 {
		t.Errorf("the title is %q, there are %d elements out of messages", title, n)
	}
}

// A page that loses its connection alone, while its server remembers, gets what it has missed, and nothing twice.
func TestPageComesBackToItsServer(t *testing.T) {
	b := openPage(t)
	r := start(t)
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	b.enterPage(t, r, "ada")
	say := func(key string) {
		t.Helper()
		if _, err := ask[receipt](t, bob, "say", post{Room: "lobby", Key: key, Text: key}); err != nil {
			t.Fatal(err)
		}
	}
	say("one")
	b.shows(t, "bob: one")
	if err := r.hub.User("ada").Close(1012, "come again"); err != nil {
		t.Fatal(err)
	}
	say("two")
	b.shows(t, "bob: one", "bob: two")
	b.live(t)
	say("three")
	b.shows(t, "bob: one", "bob: two", "bob: three")
	b.Do(t, chromedp.Reload()) // still logged in, by what the tab keeps
	b.shows(t, "bob: one", "bob: two", "bob: three")
	b.Clean(t)
	b.harmless(t)
}

func TestPrivatelyAndKicked(t *testing.T) {
	b := openPage(t)
	r := start(t)
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	b.enterPage(t, r, "ada")
	if _, err := ask[receipt](t, bob, "private", post{To: "ada", Key: "k", Text: image}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it says that there is something new", func() bool { return strings.Join(strings.Fields(b.text(t, "privates")), " ") == "bob 1 new" })
	if got := b.text(t, "news"); got != "bob has written to you privately" {
		t.Errorf("a screen reader is told %q", got)
	}
	b.Type(t, "#privates button", "\r")
	b.shows(t, "bob: "+image)
	b.harmless(t)
	b.Type(t, "#text", "hello\r")
	if e := bob.expect(t, "private"); e.Text != image {
		t.Errorf("bob got %+v", e)
	}
	if e := bob.expect(t, "private"); e.From != "ada" || e.Text != "hello" {
		t.Errorf("bob got %+v", e)
	}
	b.shows(t, "bob: "+image, "ada: hello")
	mod := r.connect(t, r.logIn(t, credentials{Name: "mod", Code: code}))
	if _, err := ask[struct{}](t, mod, "kick", target{"ada"}); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "it says why it ended", func() bool { return b.text(t, "door-note") == "A moderator has asked you to leave." })
	b.Type(t, "#name", "\r") // where the name still is
	testkit.Eventually(t, "the name is refused", func() bool { return b.text(t, "door-note") == errNameTaken.Error() })
}

func TestPageFitsPhonesAndBothSchemes(t *testing.T) {
	b := openPage(t)
	r := start(t)
	for i := range 40 {
		r.rooms["lobby"].add(message{Key: fmt.Sprint(i), From: "zoe", Room: "lobby", Text: strings.Repeat("w", 20*i)}, time.Now())
	}
	b.enterPage(t, r, strings.Repeat("W", maxName))
	for _, name := range []string{"bob", "Zoë", "someone with a long name"} {
		r.enter(t, name).join(t, "lobby")
	}
	backgrounds := map[string]bool{}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{360, 1280} {
			b.Do(t, testkit.Prefer(scheme), chromedp.EmulateViewport(width, 740), chromedp.Reload())
			b.live(t)
			testkit.Eventually(t, "the messages are there", func() bool { return len(b.lines(t)) == 40 })
			if got := testkit.Eval[int64](t, b.Browser, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("%s: the page is %d wide on a screen of %d", scheme, got, width)
			}
			if got := testkit.Eval[int](t, b.Browser, `document.getElementById("text").getBoundingClientRect().bottom`); got > 740 {
				t.Errorf("%s, %d wide: the end of the message field is at %d, below the screen", scheme, width, got)
			}
			testkit.Eventually(t, "the newest message is in view", func() bool {
				return testkit.Eval[bool](t, b.Browser, newestInView)
			})
			backgrounds[testkit.Eval[string](t, b.Browser, `getComputedStyle(document.documentElement).backgroundColor`)] = true
		}
	}
	b.follows(t)
	if len(backgrounds) != 2 {
		t.Errorf("light and dark have the same background: %v", backgrounds)
	}
	b.Clean(t)
}

// follows expects that the log goes on showing its end when its size changes, unless somebody reads what was before.
func (b *page) follows(t *testing.T) {
	t.Helper()
	b.Do(t, chromedp.EmulateViewport(1280, 400)) // as when the keyboard of a phone comes up
	testkit.Eventually(t, "the newest message still is in view", func() bool {
		return testkit.Eval[bool](t, b.Browser, newestInView)
	})
	testkit.Eval[string](t, b.Browser, `(() => {
		const log = document.getElementById("log");
		log.scrollTop -= 1;
		return log.style.maxHeight = "100px";
	})()`)
	testkit.Eventually(t, "it also is when it was just scrolled", func() bool {
		return testkit.Eval[bool](t, b.Browser, newestInView)
	})
	const frames = `const log = document.getElementById("log");
		const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));`
	if at := testkit.Eval[float64](t, b.Browser, `(async () => {
		`+frames+`
		log.scrollTop = 0;
		await frames();
		log.style.maxHeight = "200px";
		await frames();
		return log.scrollTop;
	})()`); at != 0 {
		t.Errorf("who reads the first message is taken to %v", at)
	}
	testkit.Eval[bool](t, b.Browser, `(async () => {
		`+frames+`
		log.scrollTop = log.scrollHeight;
		log.style.maxHeight = "180px";
		await frames();
		log.style.maxHeight = "100px";
		return true;
	})()`)
	testkit.Eventually(t, "it is for who has come back to it as the size changed", func() bool {
		return testkit.Eval[bool](t, b.Browser, newestInView)
	})
}

func TestNextPersonInTheSameTab(t *testing.T) {
	b := openPage(t)
	r := start(t)
	r.enter(t, "zoe").join(t, "lobby")
	b.enterPage(t, r, "ada")
	b.Type(t, "#text", "a draft of ada's")
	b.Type(t, "#logout", "\r")
	testkit.Eventually(t, "the login is there", func() bool { return testkit.Eval[string](t, b.Browser, `document.activeElement.id`) == "name" })
	b.Type(t, "#name", "2\r") // behind the name that is there still
	b.live(t)
	testkit.Eventually(t, "another one is here", func() bool { return b.text(t, "people") == "ada2 (you)\nzoe" })
	if got := testkit.Eval[string](t, b.Browser, `document.getElementById("text").value`); got != "" {
		t.Errorf("the field has %q", got)
	}
	b.Type(t, "#rooms li:last-child button", "\r")
	b.Type(t, "#text", "hello\r")
	b.shows(t, "ada2: hello")
	if got := r.rooms["help"].history(); len(got) != 1 || got[0].From != "ada2" {
		t.Errorf("the second room has %+v", got)
	}
	b.Clean(t)
}

// The page renews its token on the connection that it has.
func TestPageRenewsItsToken(t *testing.T) {
	b := openPage(t)
	r := start(t)
	b.enterPage(t, r, "ada")
	expires := func() (id string, at time.Time) {
		for c := range r.hub.Conns() {
			id, at = c.ID(), c.Identity().Expires
		}
		return id, at
	}
	id, first := expires()
	testkit.Eval[bool](t, b.Browser, `(() => { const now = Date.now; Date.now = () => now() + 11 * 60 * 1000; return true; })()`)
	testkit.Eventually(t, "the connection lasts longer", func() bool {
		now, at := expires()
		return now == id && at.After(first)
	})
	b.Clean(t)
}

func TestModeratorKicksOnThePage(t *testing.T) {
	b := openPage(t)
	r := start(t)
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	b.Do(t, chromedp.Navigate("http://"+r.address+"/"))
	testkit.Eventually(t, "the login has the focus", func() bool { return testkit.Eval[string](t, b.Browser, `document.activeElement.id`) == "name" })
	b.Type(t, "#name", "mod")
	testkit.Eval[bool](t, b.Browser, `document.querySelector("details").open = true`)
	b.Type(t, "#code", code+"\r")
	b.live(t)
	const kick = `[aria-label="Kick bob"]`
	testkit.Eventually(t, "bob is there", func() bool { return testkit.Eval[bool](t, b.Browser, `!!document.querySelector('`+kick+`')`) })
	testkit.Eval[bool](t, b.Browser, `(() => { window.confirm = (question) => question === "Kick bob?"; return true; })()`)
	b.Type(t, kick, "\r")
	if got := bob.expectClose(t); int(got) != int(ws.StatusKicked) {
		t.Errorf("bob is closed with %d", got)
	}
	testkit.Eventually(t, "bob is gone", func() bool { return b.text(t, "people") == "mod (you)" })
	b.Clean(t)
}
