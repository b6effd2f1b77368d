package main

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/fiberwsx/wsx/examples/internal/testkit"
)

func TestPageIsAccessible(t *testing.T) {
	b := openPage(t)
	r := start(t)
	bob := r.enter(t, "bob")
	bob.join(t, "lobby")
	for _, scheme := range []string{"light", "dark"} {
		b.Do(t, testkit.Prefer(scheme), chromedp.EmulateViewport(1280, 740), chromedp.Navigate("http://"+r.address+"/"))
		testkit.Eventually(t, "the login is there", func() bool { return testkit.Eval[string](t, b.Browser, `document.activeElement.id`) == "name" })
		testkit.Eval[bool](t, b.Browser, `document.querySelector("details").open = true`)
		b.Type(t, "#name", "bob\r")
		testkit.Eventually(t, "the login is refused", func() bool { return b.text(t, "door-note") != "" })
		b.Accessible(t, "main", "heading", "textbox", "alert", "button")

		b.Type(t, "#name", "2")
		b.Type(t, "#code", code+"\r")
		b.live(t)
		testkit.Eventually(t, "bob is there, to be kicked", func() bool {
			return testkit.Eval[bool](t, b.Browser, `!!document.querySelector("[aria-label='Kick bob']")`)
		})
		b.Type(t, "#text", "hello\r")
		testkit.Eventually(t, "it is said", func() bool { return slices.Contains(b.lines(t), "bob2: hello") })
		for _, width := range []int64{1280, 360} {
			b.Do(t, chromedp.EmulateViewport(width, 740))
			b.Accessible(t, "banner", "navigation", "main", "log", "complementary", "textbox", "status", "list", "heading")
			b.Tabs(t)
		}
		b.Type(t, "#logout", "\r")
		testkit.Eventually(t, "the name is free", func() bool { return !r.names.online("bob2") })
	}
}

// TestRoomsThatCannotBe: what is wrong with the names of the rooms is said at the start.
func TestRoomsThatCannotBe(t *testing.T) {
	for _, rooms := range [][]string{{""}, {" a"}, {"<b>"}, {"lobby", "lobby"}} {
		if _, err := newServer(options{key: newKey(), code: code, rooms: rooms}); err == nil {
			t.Errorf("%q are rooms", rooms)
		}
	}
}
