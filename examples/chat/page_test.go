package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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

// enterPage logs in by keyboard, from an empty page.
func (b *browser) enterPage(t *testing.T, r *running, name string) {
	t.Helper()
	b.do(t, chromedp.Navigate("http://"+r.address+"/"))
	eventually(t, "the login has the focus", func() bool { return eval[string](t, b, `document.activeElement.id`) == "name" })
	b.typeInto(t, "#name", name+"\r")
	b.live(t)
}

func (b *browser) live(t *testing.T) {
	t.Helper()
	eventually(t, "the page is live", func() bool { return eval[string](t, b, `document.getElementById("state").textContent`) == "live" })
}

// lines are the texts of the log, those that are not sent yet in brackets.
func (b *browser) lines(t *testing.T) []string {
	t.Helper()
	return eval[[]string](t, b, `[...document.querySelectorAll("#log .line")].map((line) => {
		const text = line.querySelector(".who").textContent + ": " + line.querySelector(".text").textContent;
		return line.classList.contains("pending") ? "[" + text + "]" : text;
	})`)
}

func (b *browser) shows(t *testing.T, want ...string) {
	t.Helper()
	var got []string
	holds := func() bool { got = b.lines(t); return slices.Equal(got, want) }
	for deadline := time.Now().Add(20 * time.Second); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("the page shows %q, want %q", got, want)
		}
	}
}

func (b *browser) text(t *testing.T, id string) string {
	t.Helper()
	return eval[string](t, b, `document.getElementById(`+strconv.Quote(id)+`).innerText`)
}

// TestTwoTabsAndARestart is a conversation of two people whose server is restarted, forgets everything, and has another
// key than before.
func TestTwoTabsAndARestart(t *testing.T) {
	ada, bob := newBrowser(t), newBrowser(t)
	r := start(t)
	ada.enterPage(t, r, "ada")
	bob.enterPage(t, r, "bob")
	eventually(t, "ada sees bob", func() bool { return ada.text(t, "people") == "ada (you)\nbob" })
	ada.typeInto(t, "#text", script)
	eventually(t, "bob sees ada type", func() bool { return bob.text(t, "typing") == "ada is typing" })
	if got := ada.text(t, "typing"); got != "" {
		t.Errorf("ada sees %q", got)
	}
	ada.typeInto(t, "#text", "\r")
	bob.shows(t, "ada: "+script)
	if got := bob.text(t, "typing"); got != "" {
		t.Errorf("then bob sees %q", got)
	}
	bob.typeInto(t, "#text", image+"\r")
	before := []string{"ada: " + script, "bob: " + image}
	ada.shows(t, before...)
	bob.shows(t, before...)
	ada.clean(t)
	bob.clean(t)

	r.stop()
	eventually(t, "ada is offline", func() bool { return ada.text(t, "state") == "offline" })
	eventually(t, "bob is offline", func() bool { return bob.text(t, "state") == "offline" })
	ada.typeInto(t, "#text", "are you there?\r")
	ada.shows(t, append(before, "[ada: are you there?]")...)
	startAt(t, r.address, newKey())
	ada.live(t)
	bob.live(t)
	before = append(before, "ada: are you there?")
	ada.shows(t, before...)
	bob.shows(t, before...)
	for i := range 3 {
		text := fmt.Sprint("after ", i)
		bob.typeInto(t, "#text", text+"\r")
		before = append(before, "bob: "+text)
		ada.shows(t, before...)
	}
	bob.shows(t, before...)
	for name, b := range map[string]*browser{"ada": ada, "bob": bob} {
		if title, n := eval[string](t, b, `document.title`), eval[int](t, b, `document.querySelectorAll("#chat img, #chat script").length`); title != "Chat" || n != 0 {
			t.Errorf("%s's page: title %q, %d elements out of messages", name, title, n)
		}
	}
}

// A page that loses its connection alone, while its server remembers, gets what it has missed, and nothing twice.
func TestPageComesBackToItsServer(t *testing.T) {
	b := newBrowser(t)
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
	b.do(t, chromedp.Reload()) // still logged in, by what the tab keeps
	b.shows(t, "bob: one", "bob: two", "bob: three")
	b.clean(t)
}

func TestPrivatelyAndKicked(t *testing.T) {
	b := newBrowser(t)
	r := start(t)
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	b.enterPage(t, r, "ada")
	if _, err := ask[receipt](t, bob, "private", post{To: "ada", Key: "k", Text: image}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it says that there is something new", func() bool { return strings.Join(strings.Fields(b.text(t, "privates")), " ") == "bob 1 new" })
	if got := b.text(t, "news"); got != "bob has written to you privately" {
		t.Errorf("a screen reader is told %q", got)
	}
	b.typeInto(t, "#privates button", "\r")
	b.shows(t, "bob: "+image)
	b.typeInto(t, "#text", "hello\r")
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
	eventually(t, "it says why it ended", func() bool { return b.text(t, "door-note") == "A moderator has asked you to leave." })
	b.typeInto(t, "#name", "\r") // where the name still is
	eventually(t, "the name is refused", func() bool { return b.text(t, "door-note") == errNameTaken.Error() })
}

func TestPageFitsPhonesAndBothSchemes(t *testing.T) {
	b := newBrowser(t)
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
			b.do(t, prefer(scheme), chromedp.EmulateViewport(width, 740), chromedp.Reload())
			b.live(t)
			eventually(t, "the messages are there", func() bool { return len(b.lines(t)) == 40 })
			if got := eval[int64](t, b, `document.documentElement.scrollWidth`); got > width {
				t.Errorf("%s: the page is %d wide on a screen of %d", scheme, got, width)
			}
			if got := eval[int](t, b, `document.getElementById("text").getBoundingClientRect().bottom`); got > 740 {
				t.Errorf("%s, %d wide: the end of the message field is at %d, below the screen", scheme, width, got)
			}
			eventually(t, "the newest message is in view", func() bool {
				return eval[bool](t, b, newestInView)
			})
			backgrounds[eval[string](t, b, `getComputedStyle(document.documentElement).backgroundColor`)] = true
		}
	}
	b.do(t, chromedp.EmulateViewport(1280, 400)) // as when the keyboard of a phone comes up
	eventually(t, "it still is", func() bool {
		return eval[bool](t, b, newestInView)
	})
	if len(backgrounds) != 2 {
		t.Errorf("light and dark have the same background: %v", backgrounds)
	}
	b.clean(t)
}

func TestNextPersonInTheSameTab(t *testing.T) {
	b := newBrowser(t)
	r := start(t)
	r.enter(t, "zoe").join(t, "lobby")
	b.enterPage(t, r, "ada")
	b.typeInto(t, "#text", "a draft of ada's")
	b.typeInto(t, "#logout", "\r")
	eventually(t, "the login is there", func() bool { return eval[string](t, b, `document.activeElement.id`) == "name" })
	b.typeInto(t, "#name", "2\r") // behind the name that is there still
	b.live(t)
	eventually(t, "another one is here", func() bool { return b.text(t, "people") == "ada2 (you)\nzoe" })
	if got := eval[string](t, b, `document.getElementById("text").value`); got != "" {
		t.Errorf("the field has %q", got)
	}
	b.typeInto(t, "#rooms li:last-child button", "\r")
	b.typeInto(t, "#text", "hello\r")
	b.shows(t, "ada2: hello")
	if got := r.rooms["help"].history(); len(got) != 1 || got[0].From != "ada2" {
		t.Errorf("the second room has %+v", got)
	}
	b.clean(t)
}

// The page renews its token on the connection that it has.
func TestPageRenewsItsToken(t *testing.T) {
	b := newBrowser(t)
	r := start(t)
	b.enterPage(t, r, "ada")
	expires := func() (id string, at time.Time) {
		for c := range r.hub.Conns() {
			id, at = c.ID(), c.Identity().Expires
		}
		return id, at
	}
	id, first := expires()
	eval[bool](t, b, `(() => { const now = Date.now; Date.now = () => now() + 11 * 60 * 1000; return true; })()`)
	eventually(t, "the connection lasts longer", func() bool {
		now, at := expires()
		return now == id && at.After(first)
	})
	b.clean(t)
}

func TestModeratorKicksOnThePage(t *testing.T) {
	b := newBrowser(t)
	r := start(t)
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	b.do(t, chromedp.Navigate("http://"+r.address+"/"))
	eventually(t, "the login has the focus", func() bool { return eval[string](t, b, `document.activeElement.id`) == "name" })
	b.typeInto(t, "#name", "mod")
	eval[bool](t, b, `document.querySelector("details").open = true`)
	b.typeInto(t, "#code", code+"\r")
	b.live(t)
	const kick = `[aria-label="Kick bob"]`
	eventually(t, "bob is there", func() bool { return eval[bool](t, b, `!!document.querySelector('`+kick+`')`) })
	eval[bool](t, b, `(() => { window.confirm = (question) => question === "Kick bob?"; return true; })()`)
	b.typeInto(t, kick, "\r")
	if got := bob.expectClose(t); int(got) != int(ws.StatusKicked) {
		t.Errorf("bob is closed with %d", got)
	}
	eventually(t, "bob is gone", func() bool { return b.text(t, "people") == "mod (you)" })
	b.clean(t)
}
